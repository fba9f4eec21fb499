use serde_json::json;
use th_record::{Fail, Failure};

use super::*;

const NAME: &str = "20261123T020000Z-7f3a";

/// A manifest in which every field has a value.
fn full() -> Value {
    serde_json::from_str(include_str!("../../tests/manifest.json")).unwrap()
}

fn parsed(value: &Value) -> Result<Manifest, Error> {
    parse(NAME, &serde_json::to_vec_pretty(value).unwrap())
}

/// Returns the pointers of all values below `value`.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, v)| (key.clone(), v)).collect(),
        Value::Array(array) => (0..).map(|n: usize| n.to_string()).zip(array).collect(),
        _ => Vec::new(),
    };
    for (key, value) in children {
        let at = format!("{at}/{key}");
        pointers(value, &at, all);
        all.push(at);
    }
}

fn all_pointers() -> Vec<String> {
    let mut all = Vec::new();
    pointers(&full(), "", &mut all);
    assert!(all.len() > 90, "{}", all.len());
    all
}

/// Returns `/files/packs/0/bytes` as `files.packs[0].bytes`.
fn shown(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer[1..].split('/') {
        match part.parse::<usize>() {
            Ok(index) => path.push_str(&format!("[{index}]")),
            Err(_) if path.is_empty() => path.push_str(part),
            Err(_) => path.push_str(&format!(".{part}")),
        }
    }
    path
}

#[test]
fn what_is_written_is_read() {
    let manifest = parsed(&full()).unwrap();
    let written = bytes(&manifest).unwrap();
    assert_eq!(parse(NAME, &written).unwrap(), manifest);
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), full());
}

#[test]
fn each_element_of_a_list_has_a_line() {
    let written = bytes(&parsed(&full()).unwrap()).unwrap();
    let written = String::from_utf8(written).unwrap();
    assert!(written.starts_with("{\n  \"format\": 1,\n"), "{written}");
    let tags = "\n  \"tags\": [\n    {\"name\":\"reason\",\"value\":\"nightly\"}\n  ],\n";
    assert!(written.contains(tags), "{written}");
    let settings = "\n    \"settings\": [\n      {\"role\":";
    assert!(written.contains(settings), "{written}");
    assert!(written.ends_with("\n}\n"), "{written}");
}

#[test]
fn every_missing_field_is_named() {
    for pointer in all_pointers() {
        let mut value = full();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        // The first sets did not say.
        if pointer == "/files/excluded" {
            continue;
        }
        let Some(object) = value.pointer_mut(parent).unwrap().as_object_mut() else {
            continue;
        };
        object.remove(key).unwrap();
        let error = parsed(&value).unwrap_err();
        assert!(
            matches!(error, Error::Manifest { .. }),
            "{pointer}: {error:?}"
        );
        let message = Failure::of(&error).message;
        assert!(message.contains(key), "{pointer}: {message}");
        assert!(message.contains("missing"), "{pointer}: {message}");
    }
}

#[test]
fn every_mistyped_field_is_named() {
    for pointer in all_pointers() {
        let mut value = full();
        let place = value.pointer_mut(&pointer).unwrap();
        *place = match place {
            Value::Object(_) => json!("text"),
            _ => json!({ "wrong": 1 }),
        };
        match parsed(&value) {
            Err(Error::Manifest { field, .. }) => {
                let expected = shown(&pointer);
                let inside = format!("{expected}.wrong");
                assert!(field == expected || field == inside, "{pointer}: {field}");
            }
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[test]
fn every_unknown_field_is_named() {
    for pointer in all_pointers() {
        let mut value = full();
        let Some(object) = value.pointer_mut(&pointer).unwrap().as_object_mut() else {
            continue;
        };
        object.insert("zzz".into(), json!(1));
        let message = Failure::of(&parsed(&value).unwrap_err()).message;
        assert!(message.contains("zzz"), "{pointer}: {message}");
    }
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let mut value = full();
    value["format"] = json!(2);
    value["novelty"] = json!([]);
    let error = parsed(&value).unwrap_err();
    assert!(matches!(error, Error::Newer { format: 2, .. }));
    assert_eq!(
        Failure::of(&error).message,
        "set '20261123T020000Z-7f3a' has format 2; this tool reads up to 1"
    );
    assert!(error.hint().is_some());
    value["format"] = json!(0);
    assert!(matches!(parsed(&value), Err(Error::Manifest { .. })));
}

#[test]
fn names_never_lead_out_of_the_store() {
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for (pointer, bad) in [
        ("/id", json!("20261123T020000Z-0000")),
        ("/objects/0/name", json!("../../etc/passwd")),
        ("/objects/0/name", json!("a/b")),
        ("/objects/0/name", json!("")),
        ("/objects/0/name", json!(".lock")),
        ("/objects/0/name", json!("manifest.json")),
        ("/objects/0/name", json!("SHA256SUMS")),
        ("/objects/0/name", json!("proof.json")),
        ("/objects/0/name", json!("a\nb")),
        ("/objects/0/name", json!("x".repeat(201))),
        ("/objects/0/sha256", json!("x")),
        ("/files/packs/0/name", json!("../../etc/passwd")),
        ("/files/packs/0/name", json!("pack.tar.zst")),
        ("/files/packs/0/name", json!(format!("{hash}.tar.zst/x"))),
        ("/files/packs/0/name", json!(format!("{hash}.zip"))),
        ("/files/packs/0/sha256", json!(hash.replace('b', "c"))),
    ] {
        let mut value = full();
        *value.pointer_mut(pointer).unwrap() = bad.clone();
        let error = parsed(&value).unwrap_err();
        assert!(
            matches!(error, Error::Manifest { .. }),
            "{pointer} {bad}: {error:?}"
        );
    }
    let mut value = full();
    let twice = value["objects"][0].clone();
    value["objects"].as_array_mut().unwrap().push(twice);
    assert!(parsed(&value).is_err());
}
