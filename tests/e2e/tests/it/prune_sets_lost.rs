//! A set that has lost its manifest: told of, never chosen, and its packs stay.

use std::fs;

use anyhow::Result;
use serde_json::json;

use crate::prune_sets_store::{Nights, items, with};

#[test]
fn a_grace_longer_than_time_itself_is_only_long() -> Result<()> {
    let nights = Nights::new(2)?;
    for args in [["--keep-last", "1"], ["--keep-last", "2"]] {
        let ended = nights.prune(&[&args[..], &["--grace", "300000y"]].concat())?;
        assert_eq!(ended.expect(0)?.data()["trash_count"], 1);
    }
    Ok(())
}

#[test]
fn a_set_without_a_manifest_is_damaged_and_keeps_the_packs() -> Result<()> {
    let nights = Nights::new(3)?;
    let (store, lost) = (&nights.app.store, &nights.sets[0]);
    fs::remove_file(store.set(lost).join("manifest.json"))?;
    let packs = || fs::read_dir(store.path().join("packs")).map(Iterator::count);
    let before = packs()?;

    let args = ["--keep-last", "1", "--grace", "0"];
    let ended = nights.prune(&args)?.expect(0)?;
    assert_eq!(with(&ended, "purge")?, nights.sets[2..]);
    assert_eq!(ended.data()["unreadable_count"], 1, "{}", ended.stdout);
    assert!(ended.stderr.contains("no manifest"), "{}", ended.stderr);
    assert!(ended.stderr.contains("no pack goes"), "{}", ended.stderr);
    assert_eq!(packs()?, before);
    assert!(store.set(lost).exists());

    let list = nights.app.restore(&["list"])?.expect(0)?;
    assert_eq!(items(&list, "set")?[0]["state"], json!("unreadable"));
    assert_eq!(list.data()["newest"], *nights.sets[1]);
    let shown = nights.app.restore(&["show", lost])?.expect(14)?;
    assert!(
        shown.message().contains("no manifest"),
        "{}",
        shown.message()
    );
    // Neither a restore nor a backup takes it for the newest.
    let latest = nights.app.restore(&["show"])?.expect(0)?;
    assert_eq!(latest.data()["manifest"]["id"], *nights.sets[1]);
    let next = nights.app.backup()?;
    let previous = &store.manifest(&next)?["previous"];
    assert_eq!(previous["id"], *nights.sets[1], "{previous}");
    nights.app.restore(&["verify", &next])?.expect(0)?;
    Ok(())
}
