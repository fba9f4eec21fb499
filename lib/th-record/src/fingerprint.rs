//! What a database held at one instant, in a form that a restored copy must reproduce.

use serde::{Deserialize, Serialize};

/// The content of a database, as seen by one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fingerprint {
    /// The server's major version; digests compare only within one.
    pub server_major: u32,
    /// Every table that holds rows of its own, ordered by schema and name.
    pub tables: Vec<Table>,
    /// Every sequence, ordered by schema and name.
    pub sequences: Vec<Sequence>,
    /// Large objects; `null` when the role may not read them.
    pub large_objects: Option<LargeObjects>,
    /// What `schema` takes in: 1 had aggregates, casts, collations, event triggers, foreign servers,
    /// languages, operators, publications and text search by name alone; 2 has their definitions,
    /// default privileges and the seldom `property` of a table, a column, a sequence or a rule.
    /// Left out when it is 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub schema_version: u32,
    /// Every object of the schema, ordered by kind and name.
    pub schema: Vec<SchemaObject>,
    /// The SHA-256 over `schema`.
    pub schema_sha256: String,
    /// Extensions with their versions, ordered by name.
    pub extensions: Vec<Extension>,
}

/// Manifests did not say which before there was a second.
fn first() -> u32 {
    1
}

fn is_first(version: &u32) -> bool {
    *version == first()
}

/// One table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Table {
    /// The schema's name.
    pub schema: String,
    /// The table's name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// The sum of the rows' hashes, a decimal integer: independent of order, and unlike XOR not
    /// blind to rows that occur twice.
    pub digest: String,
}

/// One sequence's position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sequence {
    /// The schema's name.
    pub schema: String,
    /// The sequence's name.
    pub name: String,
    /// The last value handed out, or the first to be, before the dump began.
    pub last_value: i64,
    /// The same after the dump ended. Sequences stand outside of snapshots, so on a busy database
    /// the dump holds a value from `last_value` to this one.
    pub last_value_after: i64,
    /// Whether `last_value` has been handed out.
    pub is_called: bool,
}

/// All large objects together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LargeObjects {
    /// How many.
    pub count: u64,
    /// The sum of the hashes of their pages.
    pub digest: String,
}

/// One object of the schema: a column, a constraint, a view, a function, a grant, …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SchemaObject {
    /// What it is: `table`, `column`, `constraint`, …
    pub kind: String,
    /// Its qualified name.
    pub name: String,
    /// The MD5 of its normalised definition.
    pub md5: String,
}

/// One extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Fingerprint {
    /// Returns the number of rows in all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// One way in which a restored copy is not the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// What differs: `table`, `sequence`, `large_objects`, `extension`, a kind of schema object, or
    /// `schema_sha256` where no single object can be named.
    pub what: String,
    /// The object's qualified name.
    pub name: String,
    /// What the manifest says; `null` when the object should not be there.
    pub expected: Option<String>,
    /// What was found; `null` when the object is missing.
    pub found: Option<String>,
}
