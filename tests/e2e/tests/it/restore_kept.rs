//! What a restore and its undoing keep: how old it is, and what becomes of it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use th_kit::Server;

use crate::setup::{App, bulk, cluster, postgres15};

const OLD: &str = "20200101T000000Z-00aa";

/// A set, and a live state other than it.
fn app(server: &dyn Server) -> Result<App<'_>> {
    let app = App::new(server, "kept", &bulk(10))?;
    app.backup()?;
    live(&app)?;
    Ok(app)
}

fn live(app: &App<'_>) -> Result<()> {
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    fs::write(app.files.path().join("2026/1.txt"), "live")?;
    Ok(())
}

fn state(app: &App<'_>, name: &str) -> PathBuf {
    app.store.path().join("state").join(name)
}

/// Makes the last restore one of long ago.
fn age(app: &App<'_>) -> Result<()> {
    let path = state(app, "restore.json");
    let text = fs::read_to_string(&path)?;
    let last: Value = serde_json::from_str(&text)?;
    let id = last["id"].as_str().context("no id")?;
    fs::write(&path, text.replace(id, OLD))?;
    let aside = app.files.path().join(".th-restore");
    fs::rename(aside.join(id), aside.join(OLD))?;
    let kept = format!("{}_before_{id}", app.database);
    let old = format!("{}_before_{OLD}", app.database);
    let rename = format!("ALTER DATABASE \"{kept}\" RENAME TO \"{old}\"");
    app.server.psql("postgres", &rename).map(drop)
}

/// Its database and files were live until a moment ago, whatever the restore's age.
fn what_was_just_live_stays(server: &dyn Server) -> Result<()> {
    let app = app(server)?;
    app.restore(&["apply"])?.expect(0)?;
    age(&app)?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'of a week'")?;
    fs::write(app.files.path().join("2026/1.txt"), "of a week")?;
    let undone = app.restore(&["undo"])?.expect(0)?;
    let name = undone.data()["database"]["kept"]
        .as_str()
        .unwrap_or_default();
    ensure!(!name.contains(OLD), "{name}");
    assert_eq!(fs::read(app.files.path().join("2026/1.txt"))?, b"live");

    let gc = app.restore(&["gc"])?.expect(0)?;
    assert_eq!(gc.data(), &json!({"removed": [], "kept": 2}));
    let pruned = app.tool("th-prune")?.args(["databases"]).run()?.expect(0)?;
    assert_eq!(pruned.record["changed"], false, "{}", pruned.stdout);
    assert_eq!(
        server.psql(name, "SELECT word FROM marker")?,
        "of a week",
        "it is not what was live"
    );
    let mut asides = fs::read_dir(app.files.path().join(".th-restore"))?;
    let aside = asides.next().context("no files are kept")??.path();
    assert_eq!(fs::read(aside.join("new/2026/1.txt"))?, b"of a week");
    app.restore(&["undo"])?.expect(10)?;
    app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
    assert_eq!(app.beside()?, Vec::<String>::new());
    ensure!(!app.files.path().join(".th-restore").exists());
    Ok(())
}

#[test]
fn what_was_just_live_stays_by_url() -> Result<()> {
    what_was_just_live_stays(cluster()?)
}

#[test]
fn what_was_just_live_stays_in_a_container() -> Result<()> {
    what_was_just_live_stays(postgres15()?)
}

#[test]
fn after_gc_there_is_nothing_to_take_back_and_nothing_pending() -> Result<()> {
    let app = app(cluster()?)?;
    for args in [&["apply"][..], &["apply", "--only", "files"]] {
        app.restore(args)?.expect(0)?;
        app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
        let ended = app.restore(&["undo"])?.expect(10)?;
        ensure!(ended.message().contains("no restore"), "{}", ended.record);
        for file in ["restore.json", "restore.pending.json"] {
            ensure!(!state(&app, file).exists(), "{args:?}: {file} is left");
        }
        live(&app)?;
    }
    app.backup()?;
    Ok(())
}

/// Somebody else has removed it, so that `restore.json` still names it.
#[test]
fn files_that_are_gone_are_noticed_before_anything_begins() -> Result<()> {
    let app = app(cluster()?)?;
    app.restore(&["apply", "--only", "files"])?.expect(0)?;
    fs::remove_dir_all(app.files.path().join(".th-restore"))?;
    let ended = app.restore(&["undo"])?.expect(10)?;
    ensure!(ended.message().contains("is gone"), "{}", ended.record);
    ensure!(!state(&app, "restore.pending.json").exists());
    app.restore(&["verify", "--level", "bytes"])?.expect(0)?;
    app.backup()?;

    // With databases too, none of which is renamed.
    app.restore(&["apply"])?.expect(0)?;
    fs::write(app.files.path().join("2026/1.txt"), "later")?;
    app.restore(&["apply"])?.expect(0)?;
    let before = app.beside()?;
    fs::remove_dir_all(app.files.path().join(".th-restore"))?;
    app.restore(&["undo"])?.expect(10)?;
    assert_eq!(app.beside()?, before);
    Ok(())
}

/// An older version has begun it, with nothing to go on with.
#[test]
fn an_undo_that_never_can_be_done_is_in_nobodys_way() -> Result<()> {
    let app = app(cluster()?)?;
    app.restore(&["apply", "--only", "files"])?.expect(0)?;
    fs::remove_dir_all(app.files.path().join(".th-restore"))?;
    let last: Value = serde_json::from_slice(&fs::read(state(&app, "restore.json"))?)?;
    let pending = json!({"restore": last, "phase": "switching", "undo": true});
    fs::write(state(&app, "restore.pending.json"), pending.to_string())?;
    let ended = app.restore(&["gc"])?.expect(0)?;
    ensure!(ended.record["warnings"].to_string().contains("undo"));
    ensure!(!state(&app, "restore.pending.json").exists());
    app.backup()?;
    Ok(())
}

/// A run that died when all was moved, and what it took out of the live already had its own id.
#[test]
fn an_undo_that_died_at_its_very_end_is_finished() -> Result<()> {
    let app = app(cluster()?)?;
    app.restore(&["apply", "--only", "files"])?.expect(0)?;
    let last = fs::read(state(&app, "restore.json"))?;
    app.restore(&["undo"])?.expect(0)?;
    let aside = app.files.path().join(".th-restore");
    let id = fs::read_dir(&aside)?.next().context("nothing is kept")??;
    let id = id.file_name().to_string_lossy().into_owned();
    let restore: Value = serde_json::from_slice(&last)?;
    let pending = json!({"restore": restore, "phase": "switching", "undo": true, "undo_id": id});
    fs::write(state(&app, "restore.json"), last)?;
    fs::write(state(&app, "restore.pending.json"), pending.to_string())?;
    app.restore(&["gc"])?.expect(0)?;
    for file in ["restore.json", "restore.pending.json"] {
        ensure!(!state(&app, file).exists(), "{file} is left");
    }
    assert_eq!(fs::read(app.files.path().join("2026/1.txt"))?, b"live");
    ensure!(aside.join(id).exists(), "what was live is gone");
    Ok(())
}
