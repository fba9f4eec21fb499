//! What is noted of a restore is of one database and its files, wherever the next run is.

use std::fs;

use anyhow::{Context, Result, ensure};
use th_kit::{Server, Store, Tool};

use crate::setup::{App, Home, bulk, cluster, files};

fn word(database: &str) -> Result<String> {
    cluster()?.psql(database, "SELECT word FROM marker")
}

/// With flags alone the state is that of the store.
#[test]
fn nobody_takes_back_the_restore_of_another() -> Result<()> {
    let shop = App::new(cluster()?, "shop", &bulk(10))?;
    let blog = App {
        server: shop.server,
        database: cluster()?.database_with("blog", &bulk(10))?,
        store: Store::new()?,
        files: files()?,
    };
    let of_blog = |args: &[&str]| {
        let tool = shop.store.target(Tool::new("th-restore")?);
        let tool = cluster()?.target(tool, &blog.database);
        let tool = tool.args(["--files".as_ref(), blog.files.path().as_os_str()]);
        tool.args(args).run()
    };
    shop.backup()?;
    cluster()?.psql(&shop.database, "UPDATE marker SET word = 'live'")?;
    for args in [&["apply"][..], &["apply", "--only", "files"]] {
        fs::write(shop.files.path().join("none"), "live")?;
        shop.restore(args)?.expect(0)?;
        for args in [&["undo"][..], &["undo", "--plan"]] {
            let ended = of_blog(args)?.expect(13)?;
            ensure!(!ended.record["error"]["hint"].is_null());
        }
        of_blog(&["gc", "--older-than", "0s"])?.expect(0)?;
        assert_eq!(fs::read(shop.files.path().join("none"))?, b"");
        shop.restore(&["undo"])?.expect(0)?;
        assert_eq!(fs::read(shop.files.path().join("none"))?, b"live");
    }
    assert_eq!(word(&shop.database)?, "live");

    // One that died is finished by whoever has its database and its files, and by nobody else.
    let path = shop.store.path().join("state/restore.pending.json");
    let pending = serde_json::json!({
        "restore": {
            "id": "20261123T020000Z-7f3a",
            "set": "20261123T020000Z-7f3a",
            "database": null,
            "roots": [shop.files.path()],
        },
        "phase": "staging",
        "undo": false,
    });
    fs::write(&path, pending.to_string())?;
    for args in [&["gc"][..], &["undo"]] {
        let ended = of_blog(args)?.expect(13)?;
        ensure!(
            ended.message().contains("unfinished"),
            "{}",
            ended.message()
        );
        ensure!(path.exists());
    }
    shop.restore(&["gc"])?.expect(0)?;
    ensure!(!path.exists());
    Ok(())
}

#[test]
fn gc_leaves_the_directory_it_runs_in_alone() -> Result<()> {
    let shop = App::new(cluster()?, "shop", &bulk(10))?;
    shop.backup()?;
    fs::write(shop.files.path().join("none"), "live")?;
    shop.restore(&["apply", "--only", "files"])?.expect(0)?;
    let blog = App::new(cluster()?, "blog", &bulk(10))?;
    blog.backup()?;
    let gc = blog
        .tool("th-restore")?
        .args(["gc", "--older-than", "0s"])
        .within(shop.files.path());
    let ended = gc.run()?.expect(0)?;
    assert_eq!(ended.record["changed"], false, "{}", ended.record);
    shop.restore(&["undo"])?.expect(0)?;
    assert_eq!(fs::read(shop.files.path().join("none"))?, b"live");
    Ok(())
}

#[test]
fn it_is_taken_back_from_another_directory() -> Result<()> {
    let home = Home::new(
        "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.files]\nuploads = \"up\"\n\
         [env.p.backup]\nstore = \"store\"\n",
    )?;
    let file = home.path().join("up/file");
    fs::create_dir(home.path().join("up"))?;
    fs::write(&file, "of the set")?;
    home.backup(&[])?.expect(0)?;
    fs::write(&file, "live")?;
    let here = Tool::new("th-restore")?.args(["apply"]);
    let applied = here.within(home.path()).run()?.expect(0)?;
    let kept = applied.data()["files"]["kept"].as_str().context("none")?;
    ensure!(kept.starts_with('/'), "{kept}");
    assert_eq!(fs::read_to_string(&file)?, "of the set");
    home.tool("th-restore")?.args(["undo"]).run()?.expect(0)?;
    assert_eq!(fs::read_to_string(&file)?, "live");
    Ok(())
}

/// A restore of an old set would move the newer ones away, and a gc then drop them.
#[test]
fn a_store_within_the_files_is_refused() -> Result<()> {
    let app = App::new(cluster()?, "nested", &bulk(10))?;
    app.backup()?;
    let store = app.store.path();
    let root = store.parent().context("no parent")?;
    let tool = app.store.target(Tool::new("th-restore")?);
    let tool = tool.args(["--files".as_ref(), root.as_os_str()]);
    let ended = tool.args(["apply", "--only", "files"]).run()?.expect(2)?;
    assert_eq!(ended.kind(), "config");
    ensure!(!ended.record["error"]["hint"].is_null());
    assert_eq!(app.store.check_whole()?, 1);
    Ok(())
}

#[test]
fn a_store_that_is_excluded_from_the_files_is_not() -> Result<()> {
    let home = Home::new(
        "app = \"a\"\n[env.p]\nroot = \".\"\n\
         [env.p.files]\nuploads = \".\"\nexclude = [\"backups/**\", \"state\"]\n\
         [env.p.backup]\nstore = \"backups\"\n",
    )?;
    home.backup(&[])?.expect(0)?;
    fs::write(home.path().join("newer"), "")?;
    home.tool("th-restore")?.args(["apply"]).run()?.expect(0)?;
    ensure!(!home.path().join("newer").exists());
    home.tool("th-restore")?.args(["undo"]).run()?.expect(0)?;
    ensure!(home.path().join("newer").exists());
    Ok(())
}
