//! Comparing a restored copy with the original.

use std::collections::BTreeMap;

use th_record::{Difference, Fingerprint, SchemaObject, Sequence, Table};

use crate::fingerprint::SCHEMA_VERSION;

/// Returns every way in which `found` is not `expected`; none means that they are equal.
///
/// Digests depend on the server's hash functions, so between major versions only counts compare.
/// A sequence that moved while the dump ran may be anywhere on its way.
pub fn differences(expected: &Fingerprint, found: &Fingerprint) -> Vec<Difference> {
    let same_major = expected.server_major == found.server_major;
    let mut all = Vec::new();

    let tables = |fingerprint: &Fingerprint| -> BTreeMap<(String, String), String> {
        fingerprint
            .tables
            .iter()
            .map(|table| {
                (
                    ("table".to_owned(), qualified(&table.schema, &table.name)),
                    rows(table, same_major),
                )
            })
            .collect()
    };
    all.extend(unequal(tables(expected), tables(found)));

    if same_major {
        let version = expected.schema_version.min(found.schema_version);
        let objects = unequal(schema(expected, version), schema(found, version));
        if objects.is_empty()
            && version == SCHEMA_VERSION
            && expected.schema_sha256 != found.schema_sha256
        {
            // Two objects of one kind and name, of which the list of differences knows one.
            all.push(Difference {
                what: "schema_sha256".to_owned(),
                name: "all".to_owned(),
                expected: Some(expected.schema_sha256.clone()),
                found: Some(found.schema_sha256.clone()),
            });
        }
        all.extend(objects);
    }

    let extensions = |fingerprint: &Fingerprint| -> BTreeMap<(String, String), String> {
        fingerprint
            .extensions
            .iter()
            .map(|extension| {
                let version = if same_major {
                    extension.version.as_str()
                } else {
                    "present"
                };
                (
                    ("extension".to_owned(), extension.name.clone()),
                    version.to_owned(),
                )
            })
            .collect()
    };
    all.extend(unequal(extensions(expected), extensions(found)));
    all.extend(sequences(&expected.sequences, &found.sequences));

    if let (Some(expected), Some(found)) = (&expected.large_objects, &found.large_objects)
        && (expected.count != found.count || (same_major && expected.digest != found.digest))
    {
        all.push(Difference {
            what: "large_objects".to_owned(),
            name: "all".to_owned(),
            expected: Some(format!("{} digest {}", expected.count, expected.digest)),
            found: Some(format!("{} digest {}", found.count, found.digest)),
        });
    }
    all
}

/// Compares one table: for a restore of that table alone.
pub fn table_difference(expected: &Table, found: Option<&Table>) -> Option<Difference> {
    let found = found.map(|table| rows(table, true));
    let wanted = rows(expected, true);
    (found.as_ref() != Some(&wanted)).then(|| Difference {
        what: "table".to_owned(),
        name: qualified(&expected.schema, &expected.name),
        expected: Some(wanted),
        found,
    })
}

/// Returns what the schema holds, as far as a fingerprint of `version` knew it.
fn schema(fingerprint: &Fingerprint, version: u32) -> BTreeMap<(String, String), String> {
    const NAMED_BY_1: [&str; 12] = [
        "aggregate",
        "cast",
        "collation",
        "event_trigger",
        "foreign-data_wrapper",
        "language",
        "operator",
        "operator_class",
        "publication",
        "server",
        "text_search_configuration",
        "text_search_dictionary",
    ];
    const UNKNOWN_TO_1: [&str; 8] = [
        "access_method",
        "conversion",
        "default_acl",
        "operator_family",
        "property",
        "text_search_parser",
        "text_search_template",
        "transform",
    ];
    let known = (fingerprint.schema.iter())
        .filter(|object| version > 1 || !UNKNOWN_TO_1.contains(&object.kind.as_str()));
    known
        .map(|SchemaObject { kind, name, md5 }| {
            let by_name = version == 1 && NAMED_BY_1.contains(&kind.as_str());
            let md5 = if by_name { "present" } else { md5 };
            ((kind.clone(), name.clone()), md5.to_owned())
        })
        .collect()
}

fn qualified(schema: &str, name: &str) -> String {
    format!("{schema}.{name}")
}

fn rows(table: &Table, with_digest: bool) -> String {
    if with_digest {
        format!("{} rows, digest {}", table.rows, table.digest)
    } else {
        format!("{} rows", table.rows)
    }
}

/// Returns the entries that are not the same on both sides. A duplicate name counts once.
fn unequal(
    expected: BTreeMap<(String, String), String>,
    mut found: BTreeMap<(String, String), String>,
) -> Vec<Difference> {
    let mut all = Vec::new();
    for ((what, name), expected) in expected {
        let key = (what, name);
        let found = found.remove(&key);
        if found.as_ref() != Some(&expected) {
            let (what, name) = key;
            all.push(Difference {
                what,
                name,
                expected: Some(expected),
                found,
            });
        }
    }
    all.extend(found.into_iter().map(|((what, name), found)| Difference {
        what,
        name,
        expected: None,
        found: Some(found),
    }));
    all
}

fn sequences(expected: &[Sequence], found: &[Sequence]) -> Vec<Difference> {
    let position = |sequence: &Sequence| {
        let called = if sequence.is_called {
            ""
        } else {
            ", not called"
        };
        format!("{}{called}", sequence.last_value)
    };
    let moved = |a: &Sequence| a.last_value != a.last_value_after;
    let fits = |wanted: &Sequence, found: &Sequence| {
        if moved(wanted) {
            let low = wanted.last_value.min(wanted.last_value_after);
            let high = wanted.last_value.max(wanted.last_value_after);
            (low..=high).contains(&found.last_value)
        } else {
            wanted.last_value == found.last_value && wanted.is_called == found.is_called
        }
    };
    let same = |a: &Sequence, b: &Sequence| a.schema == b.schema && a.name == b.name;
    let difference = |expected: Option<&Sequence>, found: Option<&Sequence>| {
        let either = expected.or(found)?;
        Some(Difference {
            what: "sequence".to_owned(),
            name: qualified(&either.schema, &either.name),
            expected: expected.map(position),
            found: found.map(position),
        })
    };
    let wrong = expected.iter().filter_map(|wanted| {
        let twin = found.iter().find(|found| same(wanted, found));
        if twin.is_some_and(|found| fits(wanted, found)) {
            None
        } else {
            difference(Some(wanted), twin)
        }
    });
    let extra = found
        .iter()
        .filter(|found| !expected.iter().any(|wanted| same(wanted, found)))
        .filter_map(|found| difference(None, Some(found)));
    wrong.chain(extra).collect()
}

#[cfg(test)]
mod tests;
