//! Packs of which little is needed are written anew, and every set still reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use th_archive::{Entry, Listing, Unpack, Watch};
use th_record::Manifest;
use th_store::{Error, Sparse, Store};

use crate::kit::{Bench, FIRST, SECOND, id, names};

const THIRD: &str = "20261125T020000Z-0003";

/// Bytes that do not compress.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        })
        .collect()
}

/// A store whose first pack is mostly gone: 20 large files, of which the second set has one, and
/// the first has been purged.
fn mostly_dead() -> (Bench, Manifest) {
    let bench = Bench::new();
    for number in 0..20 {
        bench.write(format!("{number}"), noise(number, 20_000));
    }
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    bench.write(&long, "under a long name");
    bench.publish(FIRST);
    for number in 1..20 {
        fs::remove_file(bench.root().join(number.to_string())).unwrap();
    }
    fs::copy(bench.root().join("0"), bench.root().join("copy of 0")).unwrap();
    bench.write("new", "new");
    let second = bench.publish(SECOND).manifest;
    let pruner = bench.store.prune().unwrap();
    assert!(pruner.discard(&id(FIRST), chrono::Utc::now()).unwrap());
    let trash = bench.store.trash().unwrap();
    pruner.purge(&trash.sets[0]).unwrap();
    drop(pruner);
    (bench, second)
}

fn rewrite(bench: &Bench) -> Result<(Sparse, String), Error> {
    let survey = bench.store.survey()?;
    let sparse = bench.store.sparse(&survey)?;
    assert_eq!(sparse.len(), 1, "{sparse:?}");
    let stop = AtomicBool::new(false);
    let mut on = |_: &Path, _: u64| {};
    let pruner = bench.store.prune()?;
    let new = pruner.rewrite(&survey, &sparse[0], &mut Watch::new(&stop, &mut on))?;
    Ok((sparse[0].clone(), new.name))
}

/// Unpacks a set's files, and returns their contents.
fn unpacked(bench: &Bench, manifest: &Manifest) -> BTreeMap<PathBuf, Vec<u8>> {
    let to = tempfile::tempdir().unwrap();
    let mut unpack = Unpack::new(to.path()).unwrap();
    let listing = bench
        .store
        .open_object(&manifest.id, "files.jsonl.zst")
        .unwrap();
    let entries: Vec<Entry> = Listing::new(listing).collect::<Result<_, _>>().unwrap();
    for entry in &entries {
        unpack.want(entry, &entry.path).unwrap();
    }
    let stop = AtomicBool::new(false);
    let mut on = |_: &Path, _: u64| {};
    unpack
        .run(
            &|pack| bench.store.open_pack(pack),
            &mut Watch::new(&stop, &mut on),
        )
        .unwrap();
    let files = entries.iter().filter(|entry| entry.content().is_some());
    files
        .map(|entry| {
            let path = entry.path.as_path().to_owned();
            let content = fs::read(to.path().join(&path)).unwrap();
            (path, content)
        })
        .collect()
}

#[test]
fn a_rewritten_pack_serves_every_set_under_its_old_name() {
    let (bench, second) = mostly_dead();
    let before = unpacked(&bench, &second);
    let size = bench.store.stored_bytes().unwrap();
    let (old, new) = rewrite(&bench).unwrap();
    assert!(bench.store.stored_bytes().unwrap() + 350_000 < size);
    let packs = bench.store.path().join("packs");
    let link = fs::read_link(packs.join(&old.name)).unwrap();
    assert_eq!(link, Path::new(&new));
    assert_eq!(unpacked(&bench, &second), before);
    assert_eq!(bench.verify(&second).unwrap().differences, []);
    assert_eq!(names(&bench.store.path().join("trash")), [""; 0]);

    // Nothing more is to be gained.
    let survey = bench.store.survey().unwrap();
    assert_eq!(bench.store.sparse(&survey).unwrap(), []);
    assert!(survey.packs.iter().all(|pack| pack.used));

    // A later backup builds upon it.
    let third = bench.publish(THIRD).manifest;
    assert_eq!(third.files.as_ref().unwrap().new_bytes, 0);
    assert_eq!(unpacked(&bench, &third), before);
    assert_eq!(bench.verify(&third).unwrap().differences, []);
}

#[test]
fn the_listing_of_a_set_that_does_not_need_the_pack_need_not_be_read() {
    let (bench, _) = mostly_dead();
    fs::remove_dir_all(bench.root()).unwrap();
    bench.write("other", noise(99, 20_000));
    let third = bench.publish(THIRD).path;
    fs::write(third.join("files.jsonl.zst"), "damaged").unwrap();
    rewrite(&bench).unwrap();
}

#[test]
fn a_note_of_damage_goes_with_the_pack_that_was_damaged() {
    let (bench, second) = mostly_dead();
    let survey = bench.store.survey().unwrap();
    let sparse = bench.store.sparse(&survey).unwrap().remove(0);
    let damaged = bench.store.path().join("damaged");
    fs::create_dir(&damaged).unwrap();
    fs::write(damaged.join(&sparse.name), "").unwrap();
    rewrite(&bench).unwrap();
    assert!(!damaged.exists());
    assert_eq!(bench.verify(&second).unwrap().differences, []);
}

#[test]
fn by_hand_too() {
    let (bench, second) = mostly_dead();
    let before = unpacked(&bench, &second);
    rewrite(&bench).unwrap();
    let set = bench.store.set_dir(&second.id);
    let notes = fs::read_to_string(set.join("RESTORE.md")).unwrap();
    let commands: String = notes
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split_once("```"))
        .map(|(block, _)| block)
        .filter(|block| block.contains("sha256sum") || block.contains("plan.jq"))
        .collect();
    let to = bench.dir.path().join("by hand");
    let output = Command::new("sh")
        .args(["-ec", &commands])
        .current_dir(&set)
        .env("to", &to)
        .env("work", bench.dir.path().join("work"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    let checked = said.lines().filter(|line| line.contains("packs/"));
    assert!(
        checked.clone().count() == 2 && checked.clone().all(|line| line.ends_with(": OK")),
        "{said}"
    );
    for (path, content) in before {
        assert_eq!(
            fs::read(to.join(&path)).unwrap(),
            content,
            "{}",
            path.display()
        );
    }
}

#[test]
fn damage_in_the_new_pack_shows_under_the_old_name() {
    let (bench, second) = mostly_dead();
    let (old, new) = rewrite(&bench).unwrap();
    let path = bench.store.path().join("packs").join(new);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let differences = bench.verify(&second).unwrap().differences;
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].name, old.name);
    fs::remove_file(&path).unwrap();
    let differences = bench.verify(&second).unwrap().differences;
    assert_eq!(differences[0].name, old.name);
    assert_eq!(differences[0].found, None);
}

#[test]
fn a_damaged_pack_is_left_as_it_is() {
    let (bench, _) = mostly_dead();
    let survey = bench.store.survey().unwrap();
    let sparse = bench.store.sparse(&survey).unwrap().remove(0);
    let packs = bench.store.path().join("packs");
    let path = packs.join(&sparse.name);
    let mut bytes = fs::read(&path).unwrap();
    bytes[10_000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let before = names(&packs);
    assert!(rewrite(&bench).is_err());
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(names(&packs), before);
    assert_eq!(names(&bench.store.path().join("trash")), [""; 0]);
}

#[test]
fn links_go_when_no_set_needs_them_whatever_the_order() {
    let (bench, _) = mostly_dead();
    let (old, new) = rewrite(&bench).unwrap();
    let store = Store::open(bench.store.path()).unwrap();
    let pruner = store.prune().unwrap();
    let mut survey = store.survey().unwrap();
    survey.forget(&[id(SECOND)].into());
    let unused = |name: &str| survey.packs.iter().find(|pack| pack.name == name).unwrap();
    assert!(!unused(&old.name).used && !unused(&new).used);
    pruner.remove_pack(unused(&new)).unwrap();
    // Killed here: a link that points nowhere is still known for one of ours.
    let later = store.survey().unwrap();
    let link = later
        .packs
        .iter()
        .find(|pack| pack.name == old.name)
        .unwrap();
    assert!(link.is_link);
    assert_eq!(later.foreign, [""; 0]);
    pruner.remove_pack(link).unwrap();
}

#[test]
fn links_to_anything_but_a_pack_are_refused() {
    let bench = Bench::new();
    let packs = bench.store.path().join("packs");
    let name = format!("{}.tar", "a".repeat(64));
    for target in [
        "/etc/passwd",
        "../store.json",
        &name,
        "b.tar",
        &format!("{}.tar.gz", "b".repeat(64)),
    ] {
        let _ = fs::remove_file(packs.join(&name));
        std::os::unix::fs::symlink(target, packs.join(&name)).unwrap();
        assert!(bench.store.open_pack(&name).is_err(), "{target}");
    }
    bench.store.survey().unwrap();
}
