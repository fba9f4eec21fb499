//! The trash: there and back, for good, and what stands in the way.

use std::fs;
use std::os::unix::fs::symlink;

use chrono::{DateTime, TimeDelta, Utc};
use th_record::{ErrorKind, Fail};
use th_store::{Error, Listed, Store, Survey, Trash};

use crate::kit::{Bench, FIRST, SECOND, id, names};

fn now() -> DateTime<Utc> {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn trash(bench: &Bench) -> Trash {
    bench.store.trash().unwrap()
}

#[test]
fn a_set_goes_to_the_trash_and_comes_back() {
    let bench = Bench::new();
    bench.write("a", "content");
    bench.publish(FIRST);
    let second = bench.publish(SECOND);
    let pruner = bench.store.prune().unwrap();
    assert!(pruner.discard(&id(SECOND), now()).unwrap());
    assert_eq!(bench.store.sets().unwrap().len(), 1);
    let found = trash(&bench);
    assert_eq!(found.sets.len(), 1);
    assert_eq!(
        (&found.sets[0].id, found.sets[0].deleted_at),
        (&id(SECOND), now())
    );
    assert!(found.sets[0].bytes().unwrap() > 0);
    // What it needs is needed still.
    assert!(
        bench
            .store
            .survey()
            .unwrap()
            .packs
            .iter()
            .all(|pack| pack.used)
    );

    pruner.undelete(&found.sets[0]).unwrap();
    assert_eq!(trash(&bench), Trash::default());
    let bytes = bench.verify(&second.manifest).unwrap();
    assert_eq!((bytes.differences, bytes.unknown), (Vec::new(), Vec::new()));
    // Back again, it does not take the place of another.
    assert!(matches!(
        pruner.undelete(&found.sets[0]),
        Err(Error::Exists(_))
    ));
    assert!(pruner.discard(&id(SECOND), now()).unwrap());
}

#[test]
fn what_is_purged_is_gone_and_so_are_its_packs_in_time() {
    let bench = Bench::new();
    bench.write("old", "old");
    bench.publish(FIRST);
    fs::remove_file(bench.root().join("old")).unwrap();
    bench.write("new", "new");
    bench.publish(SECOND);
    let pruner = bench.store.prune().unwrap();
    pruner.discard(&id(FIRST), now()).unwrap();
    pruner.purge(&trash(&bench).sets[0]).unwrap();
    assert_eq!(names(&bench.store.path().join("trash")), [""; 0]);

    let survey = bench.store.survey().unwrap();
    let unused: Vec<_> = survey.packs.iter().filter(|pack| !pack.used).collect();
    assert_eq!((survey.packs.len(), unused.len()), (2, 1));
    assert_eq!(unused[0].unused_since, None);
    pruner.remember_unused(&survey, now()).unwrap();
    // The first time counts, and not one that has not come yet.
    let survey = bench.store.survey().unwrap();
    pruner
        .remember_unused(&survey, now() + TimeDelta::days(1))
        .unwrap();
    let unused = |survey: &th_store::Survey| {
        let found = survey.packs.iter().find(|pack| !pack.used);
        found.unwrap().unused_since
    };
    assert_eq!(unused(&bench.store.survey().unwrap()), Some(now()));
    let earlier = now() - TimeDelta::days(1);
    pruner.remember_unused(&survey, earlier).unwrap();
    assert_eq!(unused(&bench.store.survey().unwrap()), Some(earlier));

    let pack = survey.packs.iter().find(|pack| !pack.used).unwrap();
    pruner.remove_pack(pack).unwrap();
    let survey = bench.store.survey().unwrap();
    assert_eq!(survey.packs.len(), 1);
    pruner.remember_unused(&survey, now()).unwrap();
    let second = bench.store.load(&id(SECOND)).unwrap();
    assert_eq!(bench.verify(&second).unwrap().differences, []);
}

#[test]
fn a_death_between_any_two_renames_is_mended() {
    let bench = Bench::new();
    bench.publish(FIRST);
    bench.publish(SECOND);
    let trash_dir = bench.store.path().join("trash");
    let pruner = bench.store.prune().unwrap();
    for name in [FIRST, SECOND] {
        pruner.discard(&id(name), now()).unwrap();
    }
    // Purging renames first: what is half removed must not look like a set.
    fs::rename(
        trash_dir.join(format!("{FIRST}.20261125T020000Z")),
        trash_dir.join(format!("{FIRST}.gone")),
    )
    .unwrap();
    fs::write(trash_dir.join(".th-tmp-pack.tar.zst"), "half").unwrap();
    fs::write(bench.store.path().join("packs/.th-tmp-x"), "half").unwrap();
    assert_eq!(trash(&bench).sets.len(), 1);
    pruner.tidy().unwrap();
    assert_eq!(names(&trash_dir), [format!("{SECOND}.20261125T020000Z")]);
    assert_eq!(names(&bench.store.path().join("packs")), [""; 0]);
}

#[test]
fn what_is_not_ours_is_reported_and_stays() {
    let bench = Bench::new();
    bench.publish(FIRST);
    let elsewhere = bench.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("precious"), "").unwrap();
    let trash_dir = bench.store.path().join("trash");
    let packs = bench.store.path().join("packs");
    fs::create_dir(&trash_dir).unwrap();
    fs::create_dir(trash_dir.join("photos")).unwrap();
    symlink(
        &elsewhere,
        trash_dir.join(format!("{SECOND}.20261101T000000Z")),
    )
    .unwrap();
    symlink(&elsewhere, trash_dir.join(format!("{SECOND}.gone"))).unwrap();
    symlink("/etc/passwd", packs.join(format!("{}.tar", "a".repeat(64)))).unwrap();
    fs::write(packs.join("notes.txt"), "").unwrap();
    // A link inside of a set is removed with it, and nothing is behind it.
    symlink(&elsewhere, bench.store.set_dir(&id(FIRST)).join("link")).unwrap();

    let pruner = bench.store.prune().unwrap();
    pruner.tidy().unwrap();
    pruner.discard(&id(FIRST), now()).unwrap();
    let survey = bench.store.survey().unwrap();
    assert_eq!(survey.trash.sets.len(), 1);
    pruner.purge(&survey.trash.sets[0]).unwrap();
    assert_eq!(
        survey.trash.foreign,
        [
            format!("{SECOND}.20261101T000000Z"),
            format!("{SECOND}.gone"),
            "photos".to_owned()
        ]
    );
    assert_eq!(survey.foreign.len(), 2, "{:?}", survey.foreign);
    assert_eq!(names(&elsewhere), ["precious"]);

    // A set, or the whole trash, that is a link to elsewhere is not followed.
    symlink(&elsewhere, bench.store.set_dir(&id(SECOND))).unwrap();
    assert!(pruner.discard(&id(SECOND), now()).is_err());
    fs::remove_dir_all(&trash_dir).unwrap();
    symlink(&elsewhere, &trash_dir).unwrap();
    assert!(bench.store.trash().is_err());
    assert!(bench.store.survey().is_err());
}

#[test]
fn a_set_that_cannot_be_read_makes_its_packs_unknown() {
    let bench = Bench::new();
    bench.publish(FIRST);
    bench.publish(SECOND);
    let damage = |dir: &std::path::Path| fs::write(dir.join("manifest.json"), "{}").unwrap();
    damage(&bench.store.set_dir(&id(FIRST)));
    fs::create_dir(bench.store.path().join("sets/photos")).unwrap();
    let unknown = |survey: &Survey| -> Vec<String> {
        let paths = survey.unknown.iter().map(|set| &set.path);
        let below = paths.map(|path| path.strip_prefix(bench.store.path()).unwrap());
        below.map(|path| path.display().to_string()).collect()
    };
    let first = format!("sets/{FIRST}");
    assert_eq!(unknown(&bench.store.survey().unwrap()), [first.as_str()]);
    let pruner = bench.store.prune().unwrap();
    pruner.discard(&id(SECOND), now()).unwrap();
    let second = format!("trash/{SECOND}.20261125T020000Z");
    damage(&bench.store.path().join(&second));
    let mut survey = bench.store.survey().unwrap();
    assert_eq!(unknown(&survey), [first.as_str(), second.as_str()]);
    survey.forget(&[id(SECOND)].into());
    assert_eq!(unknown(&survey), [first.as_str()]);
}

#[test]
fn a_set_that_lost_its_manifest_is_told_of_and_makes_its_packs_unknown() {
    let bench = Bench::new();
    bench.write("a", "content");
    bench.publish(FIRST);
    fs::remove_file(bench.store.set_dir(&id(FIRST)).join("manifest.json")).unwrap();
    match &bench.store.sets().unwrap()[..] {
        [Listed::Unreadable(it)] => assert!(it.reason.ends_with("has no manifest"), "{it:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.store.survey().unwrap().unknown.len(), 1);
    let lost = bench.store.load(&id(FIRST)).unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Content);
    let gone = bench.store.load(&id(SECOND)).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[test]
fn a_set_that_is_read_stays_where_it_is() {
    let bench = Bench::new();
    bench.publish(FIRST);
    bench.publish(SECOND);
    // As another process would.
    let reader = Store::open(bench.store.path()).unwrap();
    reader.load(&id(FIRST)).unwrap();
    let pruner = Store::open(bench.store.path()).unwrap().prune().unwrap();
    assert!(bench.store.is_in_use(&id(FIRST)));
    assert!(!bench.store.is_in_use(&id(SECOND)));
    assert!(!pruner.discard(&id(FIRST), now()).unwrap());
    assert!(bench.store.load(&id(FIRST)).is_ok());
    // The first store has loaded it too.
    drop(reader);
    assert!(!pruner.discard(&id(FIRST), now()).unwrap());
    let path = bench.store.path().to_owned();
    drop(bench.store);
    let store = Store::open(&path).unwrap();
    assert!(!store.is_in_use(&id(FIRST)));
    assert!(pruner.discard(&id(FIRST), now()).unwrap());
    assert!(matches!(store.load(&id(FIRST)), Err(Error::NotFound(_))));
}

#[test]
fn nobody_prunes_while_a_set_is_written_nor_the_other_way() {
    let bench = Bench::new();
    bench.publish(FIRST);
    let writer = bench.store.begin(&id(SECOND)).unwrap();
    let busy = bench.store.prune().unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Locked);
    drop(writer);
    let pruner = bench.store.prune().unwrap();
    assert!(matches!(bench.store.prune(), Err(Error::Busy(_))));
    assert!(matches!(
        bench.store.begin(&id(SECOND)),
        Err(Error::Busy(_))
    ));
    drop(pruner);
    // Writers do not keep each other off.
    let one = bench.store.begin(&id(SECOND)).unwrap();
    let other = bench.store.begin(&id("20261124T020000Z-0002")).unwrap();
    drop((one, other));
}
