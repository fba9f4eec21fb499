//! Which sets there are, and which of them is meant.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use th_kit::Ended;

use crate::setup::{App, bulk, cluster};

/// Returns the items of a list, newest first.
fn items(list: &Ended) -> Result<Vec<Value>> {
    let mut lines: Vec<&str> = list.stdout.lines().collect();
    lines.pop();
    let parsed = lines.into_iter().map(serde_json::from_str);
    Ok(parsed.collect::<Result<_, _>>()?)
}

/// The set that a command of th-restore took.
fn taken(app: &App<'_>, args: &[&str]) -> Result<Value> {
    let ended = app.restore(&[&["show"], args].concat())?.expect(0)?;
    Ok(ended.data()["manifest"]["id"].clone())
}

#[test]
fn a_set_is_named_in_every_way_there_is() -> Result<()> {
    let app = App::new(cluster()?, "named", &bulk(10))?;
    let none = app.restore(&["show", "latest-proven"])?.expect(10)?;
    assert_eq!(none.kind(), "not_found");
    let mut sets = Vec::new();
    for _ in 0..3 {
        sets.push(app.backup()?);
        // Times are of whole seconds.
        thread::sleep(Duration::from_millis(1100));
    }
    assert_eq!(app.store.sets()?, sets);
    assert_eq!(taken(&app, &[])?, *sets[2]);
    assert_eq!(taken(&app, &["latest"])?, *sets[2]);
    assert_eq!(taken(&app, &[&sets[0]])?, *sets[0]);
    assert_eq!(taken(&app, &[&sets[1][..sets[1].len() - 1]])?, *sets[1]);

    // Neither `decode` nor `restore` proves that the copy is the same.
    app.restore(&["verify", &sets[1], "--level", "restore"])?
        .expect(0)?;
    app.restore(&["show", "latest-proven"])?.expect(10)?;
    app.restore(&["verify", &sets[1]])?.expect(0)?;
    assert_eq!(taken(&app, &["latest-proven"])?, *sets[1]);
    let list = app.restore(&["list"])?.expect(0)?;
    assert_eq!(list.data()["newest"], *sets[2]);
    assert_eq!(list.data()["newest_proven"], *sets[1]);

    for id in &sets {
        let at = app.store.manifest(id)?["started_at"].clone();
        let at = at.as_str().context("no time")?;
        assert_eq!(taken(&app, &["--at", at])?, **id);
    }
    assert_eq!(
        taken(&app, &["--at", "2100-01-01T00:00:00+01:00"])?,
        *sets[2]
    );
    app.restore(&["show", "--at", "2001-01-01T00:00:00Z"])?
        .expect(10)?;

    let common = &sets[0][..9];
    let several = app.restore(&["show", common])?;
    ensure!([2, 10].contains(&several.code), "{}", several.record);
    for id in &sets {
        assert!(several.message().contains(id), "{}", several.message());
    }
    app.restore(&["show", "2"])?.expect(10)?;
    app.restore(&["show", &sets[0], "--at", "2100-01-01T00:00:00Z"])?
        .expect(2)?;
    app.restore(&["show", "--at", "yesterday"])?.expect(2)?;
    // What only looks has changed nothing, and is no part of a chain.
    app.restore(&["list", "-"])?.expect(2)?;
    Ok(())
}

#[test]
fn a_list_says_of_each_set_what_a_person_chooses_by() -> Result<()> {
    let app = App::new(cluster()?, "listed", &bulk(10))?;
    let whole = app.backup()?;
    let tool = app.tool("th-backup")?.args(["--no-db", "--pin"]);
    let of_files = tool.run()?.expect(0)?;
    let list = app.restore(&["list"])?.expect(0)?;
    assert_eq!(
        (list.record["changed"].clone(), list.record["kind"].clone()),
        (json!(false), json!("sets"))
    );
    let found = items(&list)?;
    let [newer, older] = found.as_slice() else {
        anyhow::bail!("{}", list.stdout)
    };
    assert_eq!(newer["id"], of_files.data()["set"]);
    assert_eq!(
        (&newer["database"], &newer["rows"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(
        (&newer["proof"], &newer["pinned"]),
        (&json!("bytes"), &json!(true))
    );
    let manifest = app.store.manifest(&whole)?;
    for (key, value) in [
        ("v", json!(1)),
        ("kind", json!("set")),
        ("id", json!(whole)),
        ("started_at", manifest["started_at"].clone()),
        ("state", json!("readable")),
        ("reason", json!(null)),
        ("environment", json!(null)),
        ("status", json!("complete")),
        ("proof", json!("decode")),
        ("pinned", json!(false)),
        ("tags", json!([])),
        ("database", json!(app.database)),
        ("rows", json!(11)),
        ("files", manifest["files"]["count"].clone()),
    ] {
        assert_eq!(older[key], value, "{key}");
    }
    let stored: u64 = list.data()["stored_bytes"].as_u64().context("no size")?;
    ensure!(stored >= older["stored_bytes"].as_u64().context("no size")?);
    assert_eq!(
        (&list.data()["count"], &list.data()["unreadable_count"]),
        (&json!(2), &json!(0))
    );

    fs::write(app.store.set(&whole).join("manifest.json"), "{")?;
    let list = app.restore(&["list"])?.expect(0)?;
    assert_eq!(list.data()["unreadable_count"], 1);
    let damaged = &items(&list)?[1];
    assert_eq!(
        (&damaged["id"], &damaged["state"]),
        (&json!(whole), &json!("unreadable"))
    );
    assert!(damaged["reason"].is_string());
    let shown = app.restore(&["show", &whole])?.expect(14)?;
    assert!(shown.message().contains(&whole), "{}", shown.message());
    Ok(())
}

#[test]
fn show_has_the_whole_manifest_and_proof() -> Result<()> {
    let app = App::new(cluster()?, "shown", &bulk(10))?;
    let set = app.backup()?;
    let shown = app.restore(&["show", &set])?.expect(0)?;
    assert_eq!(shown.data()["manifest"], app.store.manifest(&set)?);
    let proof: Value = serde_json::from_slice(&fs::read(app.store.set(&set).join("proof.json"))?)?;
    assert_eq!(shown.data()["proof"], proof["body"]);
    assert_eq!(
        shown.data()["path"],
        app.store.set(&set).to_string_lossy().into_owned()
    );
    assert_eq!(shown.record["changed"], false);
    Ok(())
}
