//! Packs that are known to be damaged.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use th_record::Level;
use th_store::Error;

use crate::kit::{Bench, FIRST, SECOND, id, names, reached};

/// Makes a proven set with one pack, and returns where that is.
fn proven() -> (Bench, PathBuf) {
    let bench = Bench::new();
    bench.write("a", "content");
    bench.publish(FIRST);
    let levels = vec![reached(Level::Bytes), reached(Level::Restore)];
    bench.store.record_proof(&id(FIRST), levels).unwrap();
    let packs = bench.store.path().join("packs");
    let path = packs.join(names(&packs).remove(0));
    (bench, path)
}

/// Replaces a byte, reads the set again, and notes what was found.
fn damage(bench: &Bench, path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    bytes[9] ^= 1;
    fs::write(path, bytes).unwrap();
    note(bench);
}

fn note(bench: &Bench) {
    let manifest = bench.store.load(&id(FIRST)).unwrap();
    let found = bench.verify(&manifest).unwrap();
    bench.store.note_damage(&found).unwrap();
}

fn level(bench: &Bench) -> Option<Level> {
    bench.store.sets().unwrap()[0].set().unwrap().level()
}

#[test]
fn nothing_is_built_upon_a_damaged_pack_until_it_holds_again() {
    let (bench, path) = proven();
    let whole = fs::read(&path).unwrap();
    damage(&bench, &path);
    let manifest = bench.store.load(&id(FIRST)).unwrap();
    assert_eq!(bench.store.previous(&manifest).unwrap().packs, []);
    assert_eq!(level(&bench), None);
    let error = bench.store.proof(&id(FIRST)).unwrap_err();
    assert!(matches!(error, Error::Pack { .. }), "{error}");
    let survey = bench.store.survey().unwrap();
    assert_eq!((survey.foreign.len(), survey.unknown.len()), (0, 0));

    // Somebody has brought back a copy.
    fs::write(&path, whole).unwrap();
    assert_eq!(level(&bench), None);
    note(&bench);
    assert_eq!(level(&bench), Some(Level::Restore));
    assert_eq!(bench.store.previous(&manifest).unwrap().packs.len(), 1);
    assert!(!bench.store.path().join("damaged").exists());
}

#[test]
fn what_took_the_place_of_a_pack_may_be_damaged_too() {
    let (bench, path) = proven();
    let whole = fs::read(&path).unwrap();
    // A name that its bytes do not have: damaged from the start.
    let other = path.with_file_name(format!("{}.tar.zst", "0".repeat(64)));
    fs::rename(&path, &other).unwrap();
    symlink(other.file_name().unwrap(), &path).unwrap();
    note(&bench);
    assert_eq!(
        names(&bench.store.path().join("damaged")),
        [other.file_name().unwrap().to_str().unwrap()]
    );
    assert_eq!(level(&bench), None);
    // The next backup packs the same again, and puts it in place of the link.
    bench.publish(SECOND);
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert!(!path.symlink_metadata().unwrap().is_symlink());
    let sets = bench.store.sets().unwrap();
    assert_eq!(sets[1].set().unwrap().level(), Some(Level::Restore));
}

#[test]
fn a_pack_that_is_made_anew_is_damaged_no_more() {
    let (bench, path) = proven();
    let whole = fs::read(&path).unwrap();
    damage(&bench, &path);
    bench.publish(SECOND);
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert!(!bench.store.path().join("damaged").exists());
    let sets = bench.store.sets().unwrap();
    assert_eq!(sets[1].set().unwrap().level(), Some(Level::Restore));
}

#[test]
fn a_level_goes_with_those_above_it() {
    let (bench, _) = proven();
    let first = id(FIRST);
    assert!(!bench.store.void_proof(&first, Level::Content).unwrap());
    assert!(bench.store.void_proof(&first, Level::Decode).unwrap());
    assert_eq!(level(&bench), Some(Level::Bytes));
    assert!(bench.store.void_proof(&first, Level::Bytes).unwrap());
    assert_eq!(level(&bench), None);
    assert!(!bench.store.void_proof(&first, Level::Bytes).unwrap());
    // It is there all the same, and sound.
    let proof = bench.store.proof(&first).unwrap().unwrap();
    assert_eq!(proof.levels, []);
}
