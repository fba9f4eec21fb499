//! Taking a restore back when something of what it was is gone.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;
use th_kit::Server;

use crate::setup::{App, Home, bulk, cluster};

fn word(database: &str) -> Result<String> {
    cluster()?.psql(database, "SELECT word FROM marker")
}

#[test]
fn it_needs_no_store() -> Result<()> {
    let database = cluster()?.database_with("unmounted", &bulk(10))?;
    let url = cluster()?.url(&database);
    let home = Home::new(&format!(
        "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.database]\nurl = \"{url}\"\n\
         [env.p.backup]\nstore = \"store\"\n"
    ))?;
    home.backup(&[])?.expect(0)?;
    cluster()?.psql(&database, "UPDATE marker SET word = 'live'")?;
    let restore = |args: &[&str]| home.tool("th-restore")?.args(args).run();
    restore(&["apply"])?.expect(0)?;
    fs::rename(home.path().join("store"), home.path().join("elsewhere"))?;
    restore(&["apply"])?.expect(10)?;
    restore(&["undo"])?.expect(0)?;
    assert_eq!(word(&database)?, "live");
    let dropped = restore(&["gc", "--older-than", "0s"])?.expect(0)?;
    assert_eq!(dropped.record["changed"], true, "{}", dropped.record);
    Ok(())
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_it() -> Result<()> {
    let app = App::new(cluster()?, "nowhere", &bulk(10))?;
    for command in ["undo", "gc"] {
        app.restore(&[command])?.expect(10)?;
        ensure!(!app.store.path().exists(), "{command}");
    }
    Ok(())
}

#[test]
fn a_database_that_was_not_there_before() -> Result<()> {
    let app = App::new(cluster()?, "missing", &bulk(10))?;
    app.backup()?;
    cluster()?.psql("postgres", &format!("DROP DATABASE {}", app.database))?;
    fs::write(app.files.path().join("none"), "live")?;
    let applied = app.restore(&["apply"])?.expect(0)?;
    assert_eq!(applied.data()["undoable"], false);
    for args in [&["undo"][..], &["undo", "--plan"]] {
        let ended = app.restore(args)?.expect(13)?;
        ensure!(
            ended.message().contains(&app.database),
            "{}",
            ended.message()
        );
        ensure!(!ended.record["error"]["hint"].is_null());
    }
    assert_eq!(word(&app.database)?, "original");
    assert_eq!(fs::read(app.files.path().join("none"))?, b"");
    Ok(())
}

#[test]
fn a_database_that_somebody_has_dropped() -> Result<()> {
    let app = App::new(cluster()?, "dropped", &bulk(10))?;
    app.backup()?;
    cluster()?.psql(&app.database, "UPDATE marker SET word = 'live'")?;
    app.restore(&["apply"])?.expect(0)?;
    cluster()?.psql("postgres", &format!("DROP DATABASE {}", app.database))?;
    let undone = app.restore(&["undo"])?.expect(0)?;
    assert_eq!(undone.data()["database"]["kept"], json!(null));
    assert_eq!(word(&app.database)?, "live");
    assert_eq!(app.beside()?, Vec::<String>::new());
    Ok(())
}
