//! After damage: what was proven no longer counts, and the next backup does without the damaged.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::setup::{App, bulk, cluster};

/// Flips a bit in the middle of the only pack, and returns its name.
fn damage(app: &App<'_>) -> Result<String> {
    let packs: Vec<PathBuf> = fs::read_dir(app.store.path().join("packs"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    let [path] = packs.as_slice() else {
        anyhow::bail!("{packs:?}");
    };
    let mut bytes = fs::read(path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes)?;
    let name = path.file_name().context("no name")?;
    Ok(name.to_string_lossy().into_owned())
}

/// What `list` says of a set: its proof, and why that is void.
fn listed(app: &App<'_>, set: &str) -> Result<(Value, String)> {
    let list = app.restore(&["list"])?.expect(0)?;
    let items = list.stdout.lines().map(serde_json::from_str::<Value>);
    let items = items.collect::<Result<Vec<_>, _>>()?;
    let item = items.into_iter().find(|item| item["id"] == set);
    let item = item.with_context(|| format!("no {set} in {}", list.stdout))?;
    Ok((item["proof"].clone(), item["reason"].to_string()))
}

/// Restores the set into files that were lost, and checks that all is as it was.
fn restores(app: &App<'_>, set: &str) -> Result<()> {
    let verified = app.restore(&["verify", set])?.expect(0)?;
    assert_eq!(verified.data()["reached"], "content");
    let whole = app.state()?;
    fs::remove_dir_all(app.files.path().join("2026"))?;
    app.restore(&["apply", set])?.expect(0)?;
    ensure!(app.state()? == whole, "what was restored differs");
    Ok(())
}

#[test]
fn a_damaged_pack_is_made_anew_by_the_next_backup() -> Result<()> {
    let app = App::new(cluster()?, "anew", &bulk(50))?;
    let first = app.backup()?;
    let second = app.backup()?;
    for set in [&first, &second] {
        app.restore(&["verify", set])?.expect(0)?;
        assert_eq!(listed(&app, set)?.0, "content");
    }
    let pack = damage(&app)?;
    // Nobody has noticed yet.
    assert_eq!(listed(&app, &first)?.0, "content");
    let verified = app.restore(&["verify", &first])?.expect(14)?;
    assert_eq!(verified.record["changed"], true, "{}", verified.record);
    for set in [&first, &second] {
        let (proof, reason) = listed(&app, set)?;
        assert_eq!(proof, Value::Null, "{set}");
        ensure!(reason.contains(&pack), "{reason}");
    }
    app.restore(&["show", "latest-proven"])?.expect(10)?;
    app.restore(&["show", &second])?.expect(0)?;

    let ended = app.tool("th-backup")?.run()?.expect(0)?;
    let third = ended.data()["set"].as_str().context("no set")?.to_owned();
    let warnings = ended.record["warnings"].to_string();
    ensure!(warnings.contains(&pack), "{warnings}");
    assert_eq!(ended.data()["proof"], "decode");
    restores(&app, &third)?;
    // The same files make the same pack, so the others that need it are whole again too.
    assert_eq!(listed(&app, &first)?.0, Value::Null);
    assert_eq!(listed(&app, &second)?.0, "content");
    app.restore(&["verify", &first])?.expect(0)?;
    assert_eq!(app.store.check_whole()?, 3);
    assert_eq!(app.store.strays()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_damaged_pack_is_left_out_of_every_backup_after() -> Result<()> {
    let app = App::new(cluster()?, "left", &bulk(50))?;
    let first = app.backup()?;
    let pack = damage(&app)?;
    app.restore(&["verify", &first])?.expect(14)?;
    // With it, what is packed again makes another pack.
    fs::write(app.files.path().join("2026/new"), "new")?;
    let second = app.backup()?;
    restores(&app, &second)?;
    let third = app.tool("th-backup")?.run()?.expect(0)?;
    assert_eq!(third.record["warnings"].to_string().find(&pack), None);
    assert_eq!(third.data()["files"]["new_bytes"], 0, "{}", third.record);
    let third = third.data()["set"].as_str().context("no set")?.to_owned();
    restores(&app, &third)?;
    // What is whole of it can still be had by hand.
    assert!(app.store.path().join("packs").join(&pack).is_file());
    let (proof, reason) = listed(&app, &first)?;
    assert_eq!(proof, Value::Null);
    ensure!(reason.contains(&pack), "{reason}");
    app.restore(&["apply", &first])?.expect(14)?;
    Ok(())
}

#[test]
fn a_damaged_dump_takes_back_what_was_proven() -> Result<()> {
    let app = App::new(cluster()?, "dump", &bulk(50))?;
    let set = app.backup()?;
    let path = app.store.set(&set).join("db.dump.zst");
    let whole = fs::read(&path)?;
    fs::write(&path, &whole[1..])?;
    app.restore(&["verify", &set])?.expect(14)?;
    assert_eq!(listed(&app, &set)?, (Value::Null, "null".to_owned()));
    // With nothing to take back, nothing is changed.
    let again = app.restore(&["verify", &set])?.expect(14)?;
    assert_eq!(again.record["changed"], false, "{}", again.record);
    fs::write(&path, &whole)?;
    app.restore(&["verify", &set])?.expect(0)?;
    assert_eq!(listed(&app, &set)?.0, "content");
    Ok(())
}
