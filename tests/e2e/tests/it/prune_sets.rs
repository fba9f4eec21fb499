//! Pruning sets: to the trash and back, for good, and what stays readable throughout.

use std::fs;

use anyhow::Result;
use serde_json::Value;

use crate::prune_sets_store::{
    BARE, Nights, as_stranger, items, prove_to, redate, stranger, text, with,
};

#[test]
fn the_plan_is_what_is_done_and_can_be_taken_back() -> Result<()> {
    let nights = Nights::new(6)?;
    let before = nights.content()?;
    let plan = nights
        .prune(&["--keep-last", "2", "--keep-weekly", "1", "--plan"])?
        .expect(0)?;
    assert_eq!(plan.record["dry_run"], true);
    assert_eq!(nights.content()?, before, "a plan changes nothing");

    let run = nights
        .prune(&["--keep-last", "2", "--keep-weekly", "1"])?
        .expect(0)?;
    assert_eq!(items(&run, "prune_set")?, items(&plan, "prune_set")?);
    let mut totals = (run.data().clone(), plan.data().clone());
    for counts in [&mut totals.0, &mut totals.1] {
        // A plan knows only how much smaller a pack gets at the least.
        counts["packs_rewritten_bytes"] = Value::Null;
    }
    assert_eq!(totals.0, totals.1);
    assert_eq!(run.record["changed"], true);
    assert_eq!(with(&run, "delete")?, nights.sets[2..].to_vec());
    assert_eq!(nights.app.store.sets()?.len(), 2);
    assert_eq!(nights.trash()?.len(), 4);
    assert_eq!(nights.check()?, 2);

    // Once is enough.
    let again = nights
        .prune(&["--keep-last", "2", "--keep-weekly", "1"])?
        .expect(0)?;
    assert_eq!(again.record["changed"], false, "{}", again.record);
    assert_eq!(again.data()["trash_count"], 4);
    let trashed = items(&again, "prune_set")?;
    let trashed: Vec<_> = trashed
        .iter()
        .filter(|item| !item["deleted_at"].is_null())
        .collect();
    assert_eq!(trashed.len(), 4);
    assert_eq!(trashed[0]["blocked_by"][0], "grace");

    // The trash is out of sight, and not out of reach.
    let lost = &nights.sets[3];
    nights.app.restore(&["show", lost])?.expect(10)?;
    let undelete = |args: &[&str]| {
        let tool = th_kit::Tool::new("th-prune")?;
        nights
            .app
            .store
            .target(tool)
            .args(["undelete"])
            .args(args)
            .run()
    };
    undelete(&["20990101T000000Z"])?.expect(10)?;
    let plan = undelete(&[lost, "--plan"])?.expect(0)?;
    assert_eq!(plan.data()["set"], **lost);
    assert_eq!(nights.trash()?.len(), 4);
    let back = undelete(&[&lost[..20]])?.expect(0)?;
    let warnings = back.record["warnings"].to_string();
    assert!(warnings.contains("again"), "{warnings}");
    undelete(&[lost])?.expect(10)?;
    assert_eq!(nights.check()?, 3);
    nights.app.restore(&["verify", lost])?.expect(0)?;
    Ok(())
}

#[test]
fn without_grace_sets_and_packs_go_at_once() -> Result<()> {
    let nights = Nights::new(4)?;
    let packs = || fs::read_dir(nights.app.store.path().join("packs")).map(Iterator::count);
    assert_eq!(packs()?, 4);
    let args = ["--keep-last", "2", "--grace", "0"];
    let plan = nights
        .prune(&[&args[..], &["--plan"]].concat())?
        .expect(0)?;
    let run = nights.prune(&args)?.expect(0)?;
    for ended in [&plan, &run] {
        assert_eq!(with(ended, "purge")?, nights.sets[2..].to_vec());
        assert_eq!(ended.data()["purged_count"], 2);
        // The oldest set brought most files, which the others need still.
        assert_eq!(ended.data()["packs_deleted_count"], 1, "{}", ended.record);
        assert_eq!(items(ended, "prune_pack")?.len(), 2, "{}", ended.stdout);
    }
    assert!(run.data()["packs_deleted_bytes"].as_u64() > Some(40_000));
    assert_eq!(run.data()["packs_rewritten_count"], 1, "{}", run.record);
    assert!(run.data()["packs_rewritten_bytes"].as_u64() > Some(1_900_000));
    assert_eq!(nights.trash()?, [""; 0]);
    assert_eq!(nights.check()?, 2);
    nights.app.restore(&["verify"])?.expect(0)?;

    // What was rewritten is built upon, restored, and stays as it is.
    let state = nights.app.state()?;
    let newest = nights.app.backup()?;
    fs::remove_dir_all(nights.app.files.path().join("2026"))?;
    nights.app.restore(&["apply", &newest])?.expect(0)?;
    assert_eq!(nights.app.state()?, state);
    let again = nights
        .prune(&["--keep-last", "9", "--grace", "0"])?
        .expect(0)?;
    assert_eq!(again.record["changed"], false, "{}", again.stdout);
    Ok(())
}

#[test]
fn the_trash_and_the_packs_have_their_time() -> Result<()> {
    let nights = Nights::new(3)?;
    let policy = ["--keep-last", "1"];
    nights.prune(&policy)?.expect(0)?;
    // As if that had been three days ago.
    let trash = nights.app.store.path().join("trash");
    let past = redate_trash(&trash)?;
    let run = nights.prune(&policy)?.expect(0)?;
    assert_eq!(with(&run, "purge")?.len(), past);
    assert_eq!(nights.trash()?, [""; 0]);
    // Their packs wait from now on.
    assert_eq!(run.data()["packs_deleted_count"], 0);
    assert_eq!(run.data()["unused_count"], 1, "{}", run.stdout);
    let since = trash.join("packs.json");
    let text = fs::read_to_string(&since)?;
    let now = text.split("since_at\":\"").nth(1).unwrap_or_default();
    fs::write(&since, text.replace(&now[..20], "2026-01-01T00:00:00Z"))?;
    let run = nights.prune(&policy)?.expect(0)?;
    assert_eq!(run.data()["packs_deleted_count"], 1, "{}", run.stdout);
    assert_eq!(fs::read_to_string(&since)?, "[]");
    assert_eq!(nights.check()?, 1);
    Ok(())
}

/// Makes what is in the trash look three days old, and returns how many sets that are.
fn redate_trash(trash: &std::path::Path) -> Result<usize> {
    let past = crate::prune_sets_store::date("-3 days")?.replace([':', '-'], "");
    let mut count = 0;
    for entry in fs::read_dir(trash)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some((id, _)) = name.split_once('.').filter(|(id, _)| id.contains('Z')) {
            fs::rename(trash.join(&name), trash.join(format!("{id}.{past}")))?;
            count += 1;
        }
    }
    Ok(count)
}

#[test]
fn proof_and_pins_count() -> Result<()> {
    let mut nights = Nights::new(4)?;
    // Two of one day: the older is proven.
    let newest = nights.app.backup()?;
    prove_to(&nights.app.store, &newest, "content")?;
    nights.sets[2] = redate(&nights.app.store, &nights.sets[2], 3 * 24 * 60 - 1)?;
    prove_to(&nights.app.store, &nights.sets[3], "restore")?;
    let pinned = nights
        .app
        .tool("th-backup")?
        .args(["--pin"])
        .run()?
        .expect(0)?;
    let pinned = redate(
        &nights.app.store,
        &text(&pinned.data()["set"]),
        90 * 24 * 60,
    )?;
    let run = nights.prune(&["--keep-within-daily", "3d"])?.expect(0)?;
    let kept = with(&run, "keep")?;
    assert!(
        kept.contains(&pinned) && kept.contains(&newest),
        "{}",
        run.stdout
    );
    assert_eq!(run.data()["newest_proven"], *newest);
    let item = |id: &str| {
        let items = items(&run, "prune_set")?;
        Ok::<_, anyhow::Error>(items.into_iter().find(|item| item["set"] == *id))
    };
    assert_eq!(
        item(&pinned)?.unwrap_or_default()["blocked_by"][0],
        "pinned"
    );
    Ok(())
}

#[test]
fn th_toml_says_what_to_keep_and_flags_win() -> Result<()> {
    let nights = Nights::new(4)?;
    let keep = "keep_last = 2\nmin_keep = 0\nmin_age = 0\nmax_delete = \"100%\"\nstale_after = 0";
    let home = stranger(&nights.app.store, keep)?;
    let plan = |args: &[&str]| {
        let tool = as_stranger("th-prune", &home)?;
        tool.args(["sets", "--plan"]).args(args).run()
    };
    let ended = plan(&[])?.expect(0)?;
    assert_eq!(with(&ended, "keep")?, nights.sets[..2].to_vec());
    assert_eq!(ended.record["environment"], "test");
    assert_eq!(
        with(&plan(&["--keep-last", "3"])?.expect(0)?, "keep")?.len(),
        3
    );
    assert_eq!(
        with(&plan(&["--min-keep", "4"])?.expect(0)?, "keep")?.len(),
        4
    );
    // The filter reads the same.
    let list = nights.app.restore(&["list"])?.expect(0)?;
    let tool = as_stranger("th-prune", &home)?.args(["plan", "-"]);
    let filtered = tool.stdin(list.stdout).run()?.expect(0)?;
    assert_eq!(items(&filtered, "prune_set")?, items(&ended, "prune_set")?);

    let bad = stranger(&nights.app.store, "keep_last = 1\nzone = \"Europe/Berln\"")?;
    let ended = as_stranger("th-prune", &bad)?
        .args(["sets"])
        .args(BARE)
        .run()?
        .expect(2)?;
    assert!(
        ended.message().contains("retention.zone"),
        "{}",
        ended.message()
    );
    Ok(())
}
