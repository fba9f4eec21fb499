//! A restore that died on its way: what a backup, and the next th-restore, make of it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use th_kit::{Ended, Tool};

use crate::setup::{App, bulk, cluster};

const ID: &str = "20261123T020000Z-7f3a";

/// Leaves what a restore of the newest set leaves that died in `phase`, its databases renamed.
fn die(app: &App<'_>, phase: &str, root: &Path) -> Result<()> {
    let set = app.store.sets()?.pop().context("no set")?;
    let swap = json!({"live": app.database, "next": "no_such_database", "kept": null});
    let restore: Value = json!({"id": ID, "set": set, "database": swap, "roots": [root]});
    let pending = json!({"restore": restore, "phase": phase, "undo": false});
    let state = app.store.path().join("state");
    fs::write(state.join("restore.pending.json"), pending.to_string())?;
    let aside = root.join(".th-restore").join(ID);
    fs::create_dir_all(&aside)?;
    fs::write(aside.join("moves"), "")?;
    Ok(())
}

fn backup(app: &App<'_>, args: &[&str]) -> Result<Ended> {
    app.tool("th-backup")?.args(args).run()
}

#[test]
fn files_that_are_half_moved_are_not_backed_up() -> Result<()> {
    let app = App::new(cluster()?, "moved", &bulk(10))?;
    app.backup()?;
    die(&app, "switching", app.files.path())?;
    for args in [&[][..], &["--plan"], &["--no-db"]] {
        let ended = backup(&app, args)?.expect(13)?;
        assert_eq!(ended.kind(), "gate");
        ensure!(
            ended.message().contains("th-restore gc"),
            "{}",
            ended.message()
        );
    }
    assert_eq!(app.store.sets()?.len(), 1);
    // A database is renamed as a whole, and so it is whole.
    backup(&app, &["--no-files"])?.expect(0)?;
    // It is done as it says.
    app.restore(&["gc"])?.expect(0)?;
    backup(&app, &[])?.expect(0)?;

    // Files of another place, or of which none is moved yet, are all of one state.
    let other = tempfile::tempdir()?;
    die(&app, "switching", other.path())?;
    backup(&app, &[])?.expect(0)?;
    die(&app, "staging", app.files.path())?;
    backup(&app, &[])?.expect(0)?;
    Ok(())
}

/// A command that needs no server itself uses the one that is given; without any it says so.
#[test]
fn whoever_comes_next_finishes_it_with_the_server_that_is_given() -> Result<()> {
    let app = App::new(cluster()?, "next", &bulk(10))?;
    app.backup()?;
    for args in [
        &["verify", "--level", "bytes"][..],
        &["apply", "--only", "files"],
    ] {
        die(&app, "switching", app.files.path())?;
        let files = ["--files".as_ref(), app.files.path().as_os_str()];
        let without = app.store.target(Tool::new("th-restore")?).args(files);
        let ended = without.args(args).run()?.expect(2)?;
        ensure!(ended.message().contains("--url"), "{}", ended.message());

        let ended = app.restore(args)?.expect(0)?;
        let warnings = ended.record["warnings"].to_string();
        ensure!(warnings.contains("finished"), "{warnings}");
    }
    Ok(())
}
