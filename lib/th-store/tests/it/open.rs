//! Opening and creating stores.

use std::fs;
use std::os::unix::fs::MetadataExt;

use th_record::{ErrorKind, Fail};
use th_store::{Error, Store, free_bytes};

use crate::kit::names;

#[test]
fn a_new_store_is_its_owners_alone_and_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("not/yet/there");
    assert!(matches!(Store::open(&path), Err(Error::Missing(_))));
    assert!(free_bytes(&path) > Some(0));
    let store = Store::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    assert_eq!(names(&path), ["incoming", "packs", "sets", "store.json"]);
    assert!(store.sets().unwrap().is_empty());
    assert_eq!(store.stored_bytes().unwrap(), 0);
    Store::open(&path).unwrap();
    Store::create(&path).unwrap();

    // Cut short after the marker.
    fs::remove_dir(path.join("packs")).unwrap();
    Store::create(&path).unwrap();
    assert!(path.join("packs").is_dir());
}

#[test]
fn a_foreign_directory_is_never_taken_for_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("photo.jpg"), "theirs").unwrap();
    for result in [Store::open(&path), Store::create(&path)] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Foreign(_)));
        assert_eq!(error.kind(), ErrorKind::Format);
    }
    assert_eq!(names(&path), ["photo.jpg"]);

    // A fresh file system is nobody's, and a state is that of a tool that found no store there.
    for known in ["lost+found", "state"] {
        let mount = dir.path().join("mount").join(known);
        fs::create_dir_all(mount.join(known)).unwrap();
        Store::create(&mount).unwrap();
    }
}

#[test]
fn a_copy_of_a_store_may_lack_what_was_empty() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path()).unwrap();
    for empty in ["packs", "incoming"] {
        fs::remove_dir(dir.path().join(empty)).unwrap();
    }
    assert!(store.survey().unwrap().packs.is_empty());
    assert_eq!(store.stored_bytes().unwrap(), 0);
    assert!(store.prune().unwrap().tidy().unwrap().failed.is_empty());
}

#[test]
fn a_store_that_is_newer_or_damaged_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    Store::create(dir.path()).unwrap();
    let marker = dir.path().join("store.json");
    assert_eq!(fs::read_to_string(&marker).unwrap(), "{\"format\":1}\n");
    fs::write(&marker, r#"{"format":2,"novelty":true}"#).unwrap();
    for result in [Store::open(dir.path()), Store::create(dir.path())] {
        assert!(matches!(result, Err(Error::Newer { format: 2, .. })));
    }
    for bad in ["", "{}", "[]", r#"{"format":"1"}"#, r#"{"format":1,"x":1}"#] {
        fs::write(&marker, bad).unwrap();
        for result in [Store::open(dir.path()), Store::create(dir.path())] {
            assert!(matches!(result, Err(Error::Marker { .. })), "{bad}");
        }
    }
}
