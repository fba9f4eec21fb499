//! A schema, read as tables: the fields of each object and the values of each enumeration.

use std::collections::BTreeMap;

use serde_json::Value;
use th_record::{FORMAT, VERSION};

/// One line of a table.
pub(crate) struct Field {
    /// The field's name, or an enumeration's value.
    pub(crate) name: String,
    /// The type in words; of a value, nothing.
    pub(crate) ty: String,
    /// What its doc comment says.
    pub(crate) text: String,
}

/// An object or an enumeration.
pub(crate) struct Table {
    /// What its doc comment says.
    pub(crate) text: String,
    /// Its fields or values.
    pub(crate) fields: Vec<Field>,
}

/// Returns the table of `schema`; none if it is a plain type.
pub(crate) fn table(schema: &Value) -> Option<Table> {
    let text = text(schema);
    if let Some(values) = schema["oneOf"].as_array() {
        let fields = values.iter().map(|value| Field {
            name: value["const"].as_str().unwrap_or_default().to_owned(),
            ty: String::new(),
            text: self::text(value),
        });
        return Some(Table {
            text,
            fields: fields.collect(),
        });
    }
    let fields = schema["properties"]
        .as_object()?
        .iter()
        .map(|(name, field)| Field {
            name: name.clone(),
            ty: ty(field),
            text: self::text(field),
        });
    Some(Table {
        text,
        fields: fields.collect(),
    })
}

/// Returns the tables of all that `schemas` define in common, by name.
pub(crate) fn shared<'a>(schemas: impl Iterator<Item = &'a Value>) -> BTreeMap<String, Table> {
    schemas
        .filter_map(|schema| schema["$defs"].as_object())
        .flatten()
        .filter_map(|(name, schema)| Some((name.clone(), table(schema)?)))
        .collect()
}

/// Returns the name of the type that `schema`, or a `null` beside it, refers to.
pub(crate) fn target(schema: &Value) -> Option<&str> {
    let either = schema["anyOf"].as_array().into_iter().flatten();
    let reference = schema["$ref"]
        .as_str()
        .or_else(|| either.filter_map(|s| s["$ref"].as_str()).next());
    reference?.rsplit('/').next()
}

fn ty(schema: &Value) -> String {
    let nullable = |schema: &Value| schema["type"] == "null";
    if let Some(either) = schema["anyOf"].as_array() {
        let some = either.iter().filter(|schema| !nullable(schema)).map(ty);
        return some.collect::<Vec<_>>().join(" or ") + " or null";
    }
    if let Some(name) = target(schema) {
        return if name == "Id" {
            "id".to_owned()
        } else {
            name.to_owned()
        };
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    };
    let name = |name: &&str| match *name {
        "string" if schema["format"] == "date-time" => "time".to_owned(),
        "array" => format!("list of {}", ty(&schema["items"])),
        other => other.to_owned(),
    };
    names.iter().map(name).collect::<Vec<_>>().join(" or ")
}

/// Returns a doc comment as one line.
fn text(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    // Links of the source's own manual.
    words
        .join(" ")
        .replace("[`VERSION`]", &VERSION.to_string())
        .replace("[`FORMAT`]", &FORMAT.to_string())
}
