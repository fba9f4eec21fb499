//! The sets before: each part of a new one is measured by the newest that has this part.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use th_kit::{Ended, Store, Tmpfs, Tool};

use crate::backup_space::noise;
use crate::prune_sets_store::seal;
use crate::setup::{App, Home, bulk, cluster, files};

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

#[test]
fn the_files_of_another_environment_are_no_parent() -> Result<()> {
    let section = |name: &str| {
        format!(
            "[env.{name}]\nroot = \"{name}\"\n[env.{name}.files]\nuploads = \"files\"\n\
             [env.{name}.backup]\nstore = \"../store\"\n"
        )
    };
    let toml = format!("app = \"a\"\n{}{}", section("one"), section("two"));
    let home = Home::new(&toml)?;
    for name in ["one", "two"] {
        let files = home.path().join(name).join("files");
        fs::create_dir_all(&files)?;
        noise(&files.join("noise"), 1)?;
        home.backup(&["-e", name])?.expect(0)?;
    }
    fs::write(home.path().join("one/files/late"), "new\n")?;
    let ended = home.backup(&["-e", "one"])?.expect(0)?;
    assert_eq!(ended.data()["files"]["new_bytes"], 4, "{}", ended.record);
    Ok(())
}

/// Makes a set one of the year 2031, and returns its new id.
fn put_ahead(store: &Store, id: &str) -> Result<String> {
    let new = format!("2031{}", &id[4..]);
    fs::rename(store.set(id), store.set(&new))?;
    let mut manifest = store.manifest(&new)?;
    for key in ["started_at", "finished_at"] {
        let at = manifest[key].as_str().context("no time")?;
        manifest[key] = json!(format!("2031{}", &at[4..]));
    }
    manifest["id"] = json!(new);
    seal(store, &new, &manifest)?;
    Ok(new)
}

#[test]
fn a_set_of_a_time_to_come_is_passed_over_and_named() -> Result<()> {
    let (store, files) = (Store::new()?, files()?);
    let backup = |args: &[&str]| {
        let tool = store.target(Tool::new("th-backup")?);
        let tool = tool.args(["--files".as_ref(), files.path().as_os_str()]);
        tool.args(args).run()?.expect(0)
    };
    let first = backup(&[])?;
    let ahead = put_ahead(&store, first.data()["set"].as_str().context("no set")?)?;
    let second = backup(&[])?;
    let third = backup(&[])?;
    let plan = backup(&["--plan"])?;
    for ended in [&second, &third, &plan] {
        let warnings = ended.record["warnings"].to_string();
        ensure!(warnings.contains(&ahead), "{warnings}");
    }
    assert_eq!(third.data()["files"]["new_count"], 0, "{}", third.record);
    assert_eq!(plan.data()["parent"], third.data()["set"]);
    let third = third.data()["set"].as_str().context("no set")?;
    let previous = &store.manifest(third)?["previous"]["id"];
    assert_eq!(*previous, second.data()["set"]);
    Ok(())
}
