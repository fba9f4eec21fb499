//! The level `bytes`, and proofs.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use th_archive::Watch;
use th_record::{ErrorKind, Fail, Level};
use th_store::Error;

use crate::kit::{Bench, FIRST, id, names, reached};

#[test]
fn a_whole_set_has_no_differences() {
    let bench = Bench::new();
    bench.write("a", "content");
    let set = bench.publish(FIRST);
    let bytes = bench.verify(&set.manifest).unwrap();
    assert_eq!(bytes.differences, []);
    assert_eq!(bytes.unknown, [""; 0]);
    assert_eq!(bytes.bytes, set.manifest.stored_bytes());
    let sizes = fs::read_dir(&set.path).unwrap();
    let own: u64 = sizes
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bench.store.stored_bytes().unwrap() > own);
}

#[test]
fn what_is_missing_damaged_or_unknown_is_named() {
    let bench = Bench::new();
    bench.write("a", "content");
    let set = bench.publish(FIRST);
    bench
        .store
        .record_proof(&id(FIRST), vec![reached(Level::Bytes)])
        .unwrap();
    fs::remove_file(set.path.join("db.dump.zst")).unwrap();
    fs::write(set.path.join("RESTORE.md"), "other").unwrap();
    fs::write(set.path.join("stray"), "").unwrap();
    let packs = bench.store.path().join("packs");
    let pack = names(&packs).remove(0);
    fs::remove_file(packs.join(&pack)).unwrap();
    let bytes = bench.verify(&set.manifest).unwrap();
    let named: Vec<_> = bytes
        .differences
        .iter()
        .map(|difference| (difference.what.as_str(), difference.name.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("object", "RESTORE.md"),
            ("object", "db.dump.zst"),
            ("pack", pack.as_str())
        ]
    );
    assert_eq!(bytes.differences[1].found, None);
    assert_eq!(bytes.unknown, ["stray"]);
}

#[test]
fn a_stopped_verification_says_so() {
    let bench = Bench::new();
    let set = bench.publish(FIRST);
    let mut on = |_: &Path, _: u64| {};
    let stop = AtomicBool::new(true);
    let result = bench.store.verify_bytes(
        &set.manifest,
        &Default::default(),
        &mut Watch::new(&stop, &mut on),
    );
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Interrupted);
}

#[test]
fn proofs_add_up_and_a_void_one_is_replaced() {
    let bench = Bench::new();
    let set = bench.publish(FIRST);
    let first = id(FIRST);
    assert_eq!(bench.store.proof(&first).unwrap(), None);
    bench
        .store
        .record_proof(&first, vec![reached(Level::Restore)])
        .unwrap();
    let levels = vec![reached(Level::Bytes), reached(Level::Restore)];
    let proof = bench.store.record_proof(&first, levels).unwrap();
    assert_eq!(proof.levels.len(), 2);
    assert_eq!(proof.manifest_sha256, set.manifest_sha256);
    assert_eq!(bench.store.proof(&first).unwrap(), Some(proof));

    let path = set.path.join("proof.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"restore\"", "\"content\"")).unwrap();
    let error = bench.store.proof(&first).unwrap_err();
    assert!(matches!(error, Error::Proof { .. }));
    assert_eq!(error.kind(), ErrorKind::Content);
    let sets = bench.store.sets().unwrap();
    let listed = sets[0].set().unwrap();
    assert_eq!(listed.proof, None);
    assert!(listed.void.as_ref().unwrap().contains("void"));
    let proof = bench
        .store
        .record_proof(&first, vec![reached(Level::Bytes)])
        .unwrap();
    assert_eq!(proof.levels.len(), 1);
    assert_eq!(bench.store.proof(&first).unwrap(), Some(proof));
}

#[test]
fn there_is_no_proof_of_a_set_that_is_not_there() {
    let bench = Bench::new();
    let result = bench
        .store
        .record_proof(&id(FIRST), vec![reached(Level::Bytes)]);
    assert!(matches!(result, Err(Error::NotFound(_))));
}
