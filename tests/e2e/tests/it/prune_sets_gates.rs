//! When nothing goes: no policy, broken backups, too many at once, bad input, unreadable sets.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::Result;
use serde_json::json;
use th_kit::{Ended, Tool};

use crate::prune_sets_store::{BARE, Nights, items, redate, seal, with};

#[test]
fn nothing_goes_without_a_policy() -> Result<()> {
    let nights = Nights::new(2)?;
    let before = nights.content()?;
    for args in [
        &[][..],
        &["--keep-last", "0"],
        &["--keep-within", "0d", "--keep-daily", "0"],
    ] {
        let ended = nights.prune(args)?.expect(2)?;
        assert!(ended.message().contains("keep"), "{}", ended.message());
    }
    // clap's own words.
    for args in [
        &["--keep-daily", "x"][..],
        &["--keep-within", "1w"],
        &["--zone", "Mars/Base"],
    ] {
        assert_eq!(nights.prune(args)?.code, 2);
    }
    assert_eq!(nights.content()?, before);
    Ok(())
}

#[test]
fn nothing_goes_while_backups_are_broken_not_even_from_the_trash() -> Result<()> {
    let mut nights = Nights::new(5)?;
    let newest = nights.sets.remove(0);
    fs::remove_dir_all(nights.app.store.set(&newest))?;
    // Four nights, the last of them four days ago.
    for (number, id) in nights.sets.iter_mut().enumerate() {
        *id = redate(&nights.app.store, id, (4 + number as i64) * 24 * 60)?;
    }
    nights.prune(&["--keep-last", "3"])?.expect(0)?;
    assert_eq!(nights.trash()?.len(), 1);
    let before = nights.content()?;
    let run = |args: &[&str]| nights.tool(args)?.args(["--max-delete", "0"]).run();
    let bare = ["--min-keep", "0", "--keep-last", "1"];
    for more in [&["--grace", "0"][..], &["--grace", "0", "--plan"]] {
        let ended = run(&[&bare[..], more].concat())?.expect(13)?;
        assert!(ended.message().contains("96 h old"), "{}", ended.message());
        let items = items(&ended, "prune_set")?;
        assert!(items.iter().all(|item| item["action"] == "keep"));
        assert_eq!(items[1]["blocked_by"], json!(["stale"]));
        assert_eq!(items[3]["blocked_by"], json!(["stale"]), "{}", ended.stdout);
        assert_eq!(nights.content()?, before);
    }
    // If none would go, it is no failure; the trash stays all the same.
    let ended = run(&["--keep-last", "9", "--grace", "0"])?.expect(0)?;
    assert_eq!(ended.record["changed"], false, "{}", ended.stdout);
    assert_eq!(nights.trash()?.len(), 1);
    // With a limit of one's own, it goes.
    let week = [&bare[..], &["--stale-after", "7d", "--grace", "0"]].concat();
    let ended = run(&week)?.expect(0)?;
    assert_eq!(ended.data()["purged_count"], 3, "{}", ended.record);
    Ok(())
}

#[test]
fn too_many_at_once_are_none() -> Result<()> {
    let nights = Nights::new(5)?;
    let before = nights.content()?;
    let limits = |limit: &'static str| {
        let args = ["--keep-last", "2", "--min-keep", "0", "--min-age", "0"];
        nights.tool(&args)?.args(["--max-delete", limit]).run()
    };
    for limit in ["2", "40%"] {
        let ended = limits(limit)?.expect(13)?;
        assert!(ended.message().contains("3 of 5"), "{}", ended.message());
        assert!(
            ended.message().contains("--max-delete 100%"),
            "{}",
            ended.message()
        );
        assert_eq!(
            items(&ended, "prune_set")?[4]["blocked_by"],
            json!(["max_delete"])
        );
    }
    assert_eq!(nights.content()?, before);
    assert_eq!(with(&limits("60%")?.expect(0)?, "delete")?.len(), 3);
    Ok(())
}

#[test]
fn what_cannot_be_read_is_told_and_stays() -> Result<()> {
    let nights = Nights::new(4)?;
    let store = nights.app.store.path();
    let sets = store.join("sets");
    let elsewhere = tempfile::tempdir()?;
    fs::write(elsewhere.path().join("precious"), "precious")?;
    fs::create_dir(sets.join("photos"))?;
    fs::write(sets.join("photos/cat.jpg"), "")?;
    symlink(elsewhere.path(), sets.join("20200101T000000Z-0001"))?;
    let damaged = &nights.sets[2];
    fs::write(nights.app.store.set(damaged).join("manifest.json"), "{}")?;
    let newer = &nights.sets[3];
    let mut manifest = nights.app.store.manifest(newer)?;
    manifest["format"] = json!(2);
    seal(&nights.app.store, newer, &manifest)?;
    symlink(
        "/etc/passwd",
        store.join("packs").join(format!("{}.tar", "a".repeat(64))),
    )?;
    fs::create_dir(store.join("trash"))?;
    symlink(
        elsewhere.path(),
        store.join("trash/20200101T000000Z-0002.20200102T000000Z"),
    )?;
    let packs = || fs::read_dir(store.join("packs")).map(Iterator::count);
    let before = packs()?;

    let ended = nights
        .prune(&["--keep-last", "1", "--grace", "0"])?
        .expect(0)?;
    assert_eq!(with(&ended, "purge")?, nights.sets[1..2].to_vec());
    assert_eq!(ended.data()["unreadable_count"], 4);
    let unreadable: Vec<_> = (items(&ended, "prune_set")?.into_iter())
        .filter(|item| item["blocked_by"] == json!(["unreadable"]))
        .collect();
    assert_eq!(unreadable.len(), 4, "{}", ended.stdout);
    for name in [
        "photos",
        "20200101T000000Z-0001",
        "20200101T000000Z-0002",
        damaged,
    ] {
        let told = ended.stderr.contains(name);
        assert!(told, "{name} is not told of: {}", ended.stderr);
    }
    assert!(ended.stderr.contains(&"a".repeat(64)));
    let warnings = ended.record["warnings"].as_array().into_iter().flatten();
    let frozen = (warnings.filter_map(serde_json::Value::as_str))
        .find(|it| it.contains("no pack goes"))
        .unwrap_or_default();
    for (name, stops) in [
        (damaged, true),
        (newer, true),
        (&"photos".to_owned(), false),
    ] {
        assert_eq!(frozen.contains(name.as_str()), stops, "{name}: {frozen}");
    }
    for path in ["sets/photos/cat.jpg", "sets/20200101T000000Z-0001", "trash"] {
        assert!(store.join(path).symlink_metadata().is_ok(), "{path}");
    }
    assert!(nights.app.store.set(damaged).exists() && nights.app.store.set(newer).exists());
    assert!(elsewhere.path().join("precious").exists());
    // What the damaged set needs is not known.
    assert_eq!(packs()?, before);
    assert_eq!(
        items(&ended, "prune_pack")?[0]["blocked_by"],
        json!(["unreadable"])
    );

    fs::remove_dir_all(nights.app.store.set(damaged))?;
    fs::remove_dir_all(nights.app.store.set(newer))?;
    fs::remove_file(sets.join("20200101T000000Z-0001"))?;
    let ended = nights
        .prune(&["--keep-last", "1", "--grace", "0"])?
        .expect(0)?;
    assert!(
        ended.data()["packs_deleted_count"].as_u64() >= Some(2),
        "{}",
        ended.record
    );
    nights
        .app
        .restore(&["verify", &nights.sets[0]])?
        .expect(0)?;
    Ok(())
}

#[test]
fn a_store_that_is_a_link_elsewhere_or_none_is_refused() -> Result<()> {
    let nights = Nights::new(2)?;
    let store = nights.app.store.path();
    let elsewhere = tempfile::tempdir()?;
    fs::create_dir(
        elsewhere
            .path()
            .join(format!("{}.20200101T000000Z", nights.sets[1])),
    )?;
    symlink(elsewhere.path(), store.join("trash"))?;
    nights.prune(&["--keep-last", "1"])?.expect(1)?;
    assert_eq!(fs::read_dir(elsewhere.path())?.count(), 1);
    assert_eq!(nights.app.store.sets()?.len(), 2);

    let foreign = |path: &std::path::Path| {
        let tool = Tool::new("th-prune")?.args(["--store".as_ref(), path.as_os_str()]);
        tool.args(["sets", "--keep-last", "1"]).args(BARE).run()
    };
    foreign(elsewhere.path())?.expect(13)?;
    foreign(&elsewhere.path().join("none"))?.expect(10)?;
    Ok(())
}

fn filter(input: &str, args: &[&str]) -> Result<Ended> {
    let tool = Tool::new("th-prune")?.args(["plan", "-"]).args(args);
    tool.stdin(input).run()
}

#[test]
fn the_filter_decides_about_any_tools_lines() -> Result<()> {
    let lines: String = (1..=9)
        .map(|day| format!("{{\"id\":\"backup-{day}\",\"started_at\":\"2026-11-0{day}T02:00:00+01:00\",\"size\":{day}}}\n"))
        .collect();
    let args = [&["--keep-daily", "3"][..], &BARE].concat();
    let ended = filter(&lines, &args)?.expect(0)?;
    assert_eq!(with(&ended, "keep")?, ["backup-9", "backup-8", "backup-7"]);
    assert_eq!(with(&ended, "delete")?.len(), 6);
    assert_eq!(ended.record["dry_run"], true);
    assert_eq!(ended.data()["store"], json!(null));
    // The floors hold here too: the newest of these is old.
    let ended = filter(&lines, &["--keep-daily", "3"])?.expect(13)?;
    assert!(with(&ended, "delete")?.is_empty());

    let nights = Nights::new(3)?;
    let list = nights.app.restore(&["list"])?.expect(0)?.stdout;
    let args = [&["--keep-last", "2"][..], &BARE].concat();
    let ended = filter(&list, &args)?.expect(0)?;
    assert_eq!(
        items(&ended, "prune_set")?,
        items(&nights.prune(&["--keep-last", "2", "--plan"])?, "prune_set")?
    );
    Ok(())
}

#[test]
fn the_filter_refuses_what_it_cannot_judge() -> Result<()> {
    let good = "{\"id\":\"a\",\"started_at\":\"2026-11-01T02:00:00Z\"}\n";
    for bad in ["nonsense\n", "{\"id\":\"b\"}\n", good] {
        let ended = filter(&format!("{good}{bad}"), &["--keep-last", "1"])?.expect(13)?;
        assert!(ended.message().contains("line 2"), "{}", ended.message());
    }
    filter(good, &[])?.expect(2)?;
    // A list that ended badly is not a whole list.
    let failed = Tool::new("th-restore")?
        .args(["--store", "/nowhere", "list"])
        .run()?
        .expect(10)?;
    let ended = filter(&format!("{good}{}", failed.stdout), &["--keep-last", "1"])?.expect(13)?;
    assert!(
        ended.message().contains("th-restore failed"),
        "{}",
        ended.message()
    );
    assert_eq!(filter(good, &["--keep-last"])?.code, 2);
    Ok(())
}

#[test]
fn a_chain_goes_on_only_after_success() -> Result<()> {
    let nights = Nights::new(3)?;
    let before = nights.content()?;
    let failed = nights
        .app
        .restore(&["show", "20990101T000000Z"])?
        .expect(10)?;
    let args = [&["--keep-last", "1", "-"][..], &BARE].concat();
    nights.tool(&args)?.stdin(failed.stdout).run()?.expect(13)?;
    assert_eq!(nights.content()?, before);
    let verified = nights
        .app
        .restore(&["verify", "--level", "bytes"])?
        .expect(0)?;
    let ended = nights
        .tool(&args)?
        .stdin(verified.stdout.clone())
        .run()?
        .expect(0)?;
    assert!(ended.stdout.starts_with(&verified.stdout));
    assert_eq!(ended.record["run"], verified.record["run"]);
    assert_eq!(nights.app.store.sets()?.len(), 1);
    Ok(())
}
