//! The sets before: each part of a new one is measured by the newest that has this part.

use anyhow::{Result, ensure};
use serde_json::Value;
use th_kit::{Ended, Store, Tmpfs};

use crate::backup_space::noise;
use crate::setup::{App, bulk, cluster};

const MIB: u64 = 1 << 20;

fn backup(app: &App<'_>, args: &[&str]) -> Result<Ended> {
    app.tool("th-backup")?.args(args).run()
}

fn needed(plan: &Value) -> u64 {
    plan["space"]["needed_bytes"].as_u64().unwrap_or_default()
}

#[test]
fn a_plan_looks_at_the_last_files_and_the_last_dump() -> Result<()> {
    let app = App::new(cluster()?, "parents", &bulk(20_000))?;
    noise(&app.files.path().join("noise"), 3)?;
    let first = backup(&app, &["--plan"])?.expect(0)?;
    let plan = first.data();
    assert!(plan["parent"].is_null(), "{plan}");
    // The store has to be made yet, and is where its parent is.
    assert!(plan["space"]["free_bytes"].as_u64() > Some(0), "{plan}");
    assert!(!app.store.path().exists());

    app.backup()?;
    let dump = backup(&app, &["--no-files"])?.expect(0)?;
    let dump = dump.data()["database"]["stored_bytes"].as_u64();
    let dump = dump.unwrap_or_default() / 3 * 4;
    let files = backup(&app, &["--no-db"])?.expect(0)?;
    let files = &files.data()["set"];
    let later = backup(&app, &["--plan"])?.expect(0)?;
    let plan = later.data();
    assert_eq!((&plan["parent"], needed(plan)), (files, dump), "{plan}");

    backup(&app, &["--no-files"])?.expect(0)?;
    noise(&app.files.path().join("newest"), 1)?;
    let later = backup(&app, &["--plan"])?.expect(0)?;
    let plan = later.data();
    assert_eq!(plan["parent"], *files, "{plan}");
    // The file that came since the last files, and a dump.
    ensure!((MIB..2 * MIB).contains(&needed(plan)), "{plan}");
    let without = backup(&app, &["--plan", "--no-files"])?.expect(0)?;
    assert!(without.data()["parent"].is_null(), "{}", without.data());
    Ok(())
}

#[test]
fn a_set_without_files_does_not_make_the_next_one_too_large() -> Result<()> {
    let disk = Tmpfs::mount("size=20m")?;
    let mut app = App::new(cluster()?, "fits", "CREATE TABLE t ()")?;
    app.store = Store::within(disk.path())?;
    noise(&app.files.path().join("noise"), 12)?;
    app.backup()?;
    backup(&app, &["--no-files"])?.expect(0)?;
    // The tree is larger than what is free, but all of it is stored already.
    let ended = backup(&app, &[])?.expect(0)?;
    assert_eq!(ended.data()["files"]["new_bytes"], 0, "{}", ended.record);
    assert_eq!(app.store.check_whole()?, 3);
    Ok(())
}
