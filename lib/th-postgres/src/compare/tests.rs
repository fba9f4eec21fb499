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
