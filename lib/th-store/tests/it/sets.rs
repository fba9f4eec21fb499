//! Listing and loading sets.

use std::fs;
use std::os::unix::fs::symlink;

use th_record::{Level, Status};
use th_store::{Error, Listed, Selector};

use crate::kit::{Bench, FIRST, SECOND, id, names, reached};

#[test]
fn sets_are_listed_newest_first_with_what_is_known_of_them() {
    let bench = Bench::new();
    bench.write("a", "content");
    let first = bench.publish(FIRST);
    let second = bench.publish(SECOND);
    bench
        .store
        .record_proof(&id(FIRST), vec![reached(Level::Content)])
        .unwrap();
    let sets = bench.store.sets().unwrap();
    assert_eq!(
        sets.iter().map(Listed::name).collect::<Vec<_>>(),
        [SECOND, FIRST]
    );
    let set = sets[1].set().unwrap();
    assert_eq!(set.manifest_sha256, first.manifest_sha256);
    assert_eq!(set.status, Status::Complete);
    assert_eq!((set.rows, set.files), (Some(3), Some(1)));
    assert_eq!(set.stored_bytes, first.manifest.stored_bytes());
    assert_eq!(set.level(), Some(Level::Content));
    assert_eq!(sets[0].set().unwrap().level(), None);
    let proven = Selector::LatestProven.pick(&sets).unwrap();
    assert_eq!(proven.id, id(FIRST));
    // The second set needs the first one's pack, and brought none of its own.
    assert_eq!(
        second.manifest.files.unwrap().packs,
        first.manifest.files.unwrap().packs
    );
}

#[test]
fn what_is_not_a_set_is_reported_and_never_followed() {
    let bench = Bench::new();
    bench.publish(FIRST);
    let sets = bench.store.path().join("sets");
    let elsewhere = bench.dir.path().join("elsewhere");
    fs::rename(sets.join(FIRST), &elsewhere).unwrap();
    symlink(&elsewhere, sets.join(FIRST)).unwrap();
    fs::create_dir(sets.join("photos")).unwrap();
    fs::create_dir(sets.join("20261121T020000Z-0001")).unwrap();
    fs::write(sets.join("20261122T020000Z-0001"), "a file").unwrap();
    fs::create_dir(sets.join(SECOND)).unwrap();
    symlink(
        elsewhere.join("manifest.json"),
        sets.join(SECOND).join("manifest.json"),
    )
    .unwrap();

    let listed = bench.store.sets().unwrap();
    let found: Vec<_> = listed
        .iter()
        .map(|listed| match listed {
            Listed::Set(set) => panic!("{set:?}"),
            Listed::Unreadable(unreadable) => (unreadable.name.as_str(), unreadable.newer),
        })
        .collect();
    assert_eq!(
        found,
        [
            (SECOND, false),
            (FIRST, false),
            ("20261122T020000Z-0001", false),
            ("20261121T020000Z-0001", false),
            ("photos", false)
        ]
    );
    assert!(matches!(
        bench.store.load(&id(FIRST)),
        Err(Error::Io { .. })
    ));
    let picked = Selector::Id(FIRST.into()).pick(&listed).unwrap_err();
    assert!(matches!(picked, Error::Unreadable { .. }), "{picked:?}");
    assert!(matches!(
        Selector::Latest.pick(&listed),
        Err(Error::NotFound(_))
    ));
}

#[test]
fn a_set_under_another_name_is_not_that_set() {
    let bench = Bench::new();
    bench.publish(FIRST);
    fs::rename(
        bench.store.set_dir(&id(FIRST)),
        bench.store.set_dir(&id(SECOND)),
    )
    .unwrap();
    match bench.store.load(&id(SECOND)) {
        Err(Error::Manifest { field, .. }) => assert_eq!(field, "id"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_newer_set_is_listed_as_such() {
    let bench = Bench::new();
    bench.publish(FIRST);
    let path = bench.store.set_dir(&id(FIRST)).join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("\"format\": 1", "\"format\": 2, \"novelty\": true"),
    )
    .unwrap();
    match &bench.store.sets().unwrap()[..] {
        [Listed::Unreadable(unreadable)] => {
            assert!(unreadable.newer);
            assert!(
                unreadable.reason.contains("has format 2"),
                "{}",
                unreadable.reason
            );
            assert!(unreadable.started_at.is_some());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn packs_that_are_gone_are_not_built_upon() {
    let bench = Bench::new();
    bench.write("a", "content");
    let first = bench.publish(FIRST);
    let previous = bench.store.previous(&first.manifest).unwrap();
    assert_eq!(previous.packs, first.manifest.files.as_ref().unwrap().packs);
    let packs = bench.store.path().join("packs");
    let pack = packs.join(names(&packs).remove(0));
    fs::write(&pack, "short").unwrap();
    assert!(
        bench
            .store
            .previous(&first.manifest)
            .unwrap()
            .packs
            .is_empty()
    );
    // The next set mends it: the same content has the same name.
    let second = bench.publish(SECOND);
    assert!(
        bench
            .verify(&second.manifest)
            .unwrap()
            .differences
            .is_empty()
    );
    assert!(
        bench
            .verify(&first.manifest)
            .unwrap()
            .differences
            .is_empty()
    );
}

#[test]
fn packs_open_by_their_name_alone() {
    let bench = Bench::new();
    bench.write("a", "content");
    let set = bench.publish(FIRST);
    bench
        .store
        .open_pack(&set.manifest.files.unwrap().packs[0].name)
        .unwrap();
    for bad in ["../store.json", "", "/etc/passwd", "x.tar.zst"] {
        assert!(bench.store.open_pack(bad).is_err(), "{bad}");
    }
}
