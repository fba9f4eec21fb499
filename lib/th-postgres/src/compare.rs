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
mod tests {
    use super::*;
    use th_record::{Extension, LargeObjects};

    fn print() -> Fingerprint {
        let object = SchemaObject {
            kind: "view".into(),
            name: "public.v".into(),
            md5: "1".into(),
        };
        Fingerprint {
            server_major: 15,
            tables: vec![Table {
                schema: "public".into(),
                name: "t".into(),
                rows: 2,
                digest: "5".into(),
            }],
            sequences: vec![Sequence {
                schema: "public".into(),
                name: "s".into(),
                last_value: 3,
                last_value_after: 3,
                is_called: true,
            }],
            large_objects: Some(LargeObjects {
                count: 1,
                digest: "9".into(),
            }),
            schema_version: 2,
            schema: vec![object],
            schema_sha256: "a".into(),
            extensions: vec![Extension {
                name: "x".into(),
                version: "1".into(),
            }],
        }
    }

    fn names(found: &Fingerprint) -> Vec<String> {
        differences(&print(), found)
            .into_iter()
            .map(|d| format!("{} {}", d.what, d.name))
            .collect()
    }

    #[test]
    fn equal_prints_do_not_differ_and_each_change_is_named() {
        assert!(names(&print()).is_empty());
        let mut rows = print();
        rows.tables[0].rows = 1;
        assert_eq!(names(&rows), ["table public.t"]);
        let mut digest = print();
        digest.tables[0].digest = "6".into();
        assert_eq!(names(&digest), ["table public.t"]);
        let mut extra = print();
        extra.tables.push(Table {
            schema: "public".into(),
            name: "u".into(),
            rows: 0,
            digest: "0".into(),
        });
        assert_eq!(names(&extra), ["table public.u"]);
        let mut schema = print();
        schema.schema[0].md5 = "2".into();
        schema.schema_sha256 = "b".into();
        assert_eq!(names(&schema), ["view public.v"]);
        schema.schema_sha256 = "a".into();
        assert_eq!(names(&schema), ["view public.v"]);
        let mut twin = print();
        twin.schema_sha256 = "b".into();
        assert_eq!(names(&twin), ["schema_sha256 all"]);
        let mut extension = print();
        extension.extensions.clear();
        assert_eq!(names(&extension), ["extension x"]);
        let mut objects = print();
        objects.large_objects = Some(LargeObjects {
            count: 1,
            digest: "8".into(),
        });
        assert_eq!(names(&objects), ["large_objects all"]);
        let mut sequence = print();
        sequence.sequences[0].is_called = false;
        assert_eq!(names(&sequence), ["sequence public.s"]);
    }

    #[test]
    fn a_sequence_that_moved_may_be_anywhere_on_its_way() {
        let mut wanted = print();
        wanted.sequences[0].last_value_after = 10;
        for (value, count) in [(2, 1), (3, 0), (7, 0), (10, 0), (11, 1)] {
            let mut found = print();
            found.sequences[0].last_value = value;
            assert_eq!(differences(&wanted, &found).len(), count, "{value}");
        }
    }

    #[test]
    fn a_set_whose_schema_says_less_is_compared_by_what_it_says() {
        let object = |kind: &str, md5: &str| SchemaObject {
            kind: kind.into(),
            name: "p".into(),
            md5: md5.into(),
        };
        let mut old = print();
        old.schema_version = 1;
        old.schema.push(object("publication", "1"));
        let mut found = print();
        found.schema.push(object("publication", "2"));
        found.schema.push(object("default_acl", "3"));
        found.schema_sha256 = "b".into();
        assert_eq!(differences(&old, &found), []);
        found.schema.remove(1);
        assert_eq!(differences(&old, &found).len(), 1);
        old.schema_version = 2;
        assert_eq!(differences(&old, &found).len(), 2);
    }

    #[test]
    fn another_major_version_is_compared_by_counts() {
        let mut found = print();
        found.server_major = 17;
        found.tables[0].digest = "7".into();
        found.schema_sha256 = "c".into();
        found.extensions[0].version = "2".into();
        assert!(names(&found).is_empty());
        found.tables[0].rows = 1;
        assert_eq!(names(&found), ["table public.t"]);
    }
}
