//! Every flipped bit and every cut of what is small is noticed.

use std::fs;
use std::path::Path;

use th_record::{Level, Manifest};

use crate::kit::{Bench, FIRST, id, reached};

/// A store with one small set, and its manifest.
fn bench() -> (Bench, Manifest) {
    let bench = Bench::new();
    bench.write("a", "content");
    // Small, for every bit is tried. That every field is looked at is tested elsewhere.
    let (incoming, mut manifest) = bench.prepare(FIRST);
    manifest.database = None;
    manifest.tags.clear();
    let manifest = incoming.publish(manifest, "notes").unwrap().manifest;
    let levels = vec![reached(Level::Bytes), reached(Level::Restore)];
    bench.store.record_proof(&id(FIRST), levels).unwrap();
    (bench, manifest)
}

/// Damages the file at `path` in every way, and checks that `noticed` says so each time.
fn damage(path: &Path, noticed: impl Fn() -> bool) {
    let whole = fs::read(path).unwrap();
    assert!(!noticed(), "'{}' is whole", path.display());
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, bytes).unwrap();
        assert!(noticed(), "'{}': bit {bit}", path.display());
    }
    for end in 0..whole.len() {
        fs::write(path, &whole[..end]).unwrap();
        assert!(noticed(), "'{}': cut at {end}", path.display());
    }
    fs::write(path, [&whole, &b"\n"[..]].concat()).unwrap();
    assert!(noticed(), "'{}': longer", path.display());
    fs::remove_file(path).unwrap();
    assert!(
        noticed() || path.ends_with("proof.json"),
        "'{}': gone",
        path.display()
    );
    fs::write(path, whole).unwrap();
}

#[test]
fn of_the_manifest() {
    let (bench, manifest) = bench();
    let path = bench.store.set_dir(&manifest.id).join("manifest.json");
    damage(&path, || bench.store.load(&manifest.id).is_err());
    assert!(bench.verify(&manifest).is_ok());
}

#[test]
fn of_the_sums() {
    let (bench, manifest) = bench();
    let path = bench.store.set_dir(&manifest.id).join("SHA256SUMS");
    damage(&path, || {
        bench.store.load(&manifest.id).is_err() && bench.verify(&manifest).is_err()
    });
}

#[test]
fn of_the_proof() {
    let (bench, manifest) = bench();
    let path = bench.store.set_dir(&manifest.id).join("proof.json");
    damage(&path, || bench.store.proof(&manifest.id).is_err());
}

#[test]
fn of_objects_and_packs() {
    let (bench, manifest) = bench();
    let set = bench.store.set_dir(&manifest.id);
    let packs = bench.store.path().join("packs");
    let pack = &manifest.files.as_ref().unwrap().packs[0];
    let objects = manifest.objects.iter().map(|object| set.join(&object.name));
    let objects: Vec<_> = objects.collect();
    assert_eq!(objects.len(), 4);
    for path in objects.into_iter().chain([packs.join(&pack.name)]) {
        damage(&path, || {
            !bench.verify(&manifest).unwrap().differences.is_empty()
        });
    }
}
