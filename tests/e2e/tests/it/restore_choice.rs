//! Which set is the latest where a store has those of several sources.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use th_kit::{Ended, Server, Store, Tool};

use crate::prune_sets_store::{date, seal};
use crate::setup::{App, Home, bulk, cluster};

/// Two environments of an app, each with a database of its own and one store for both.
struct Both {
    home: Home,
    databases: [String; 2],
}

const NAMES: [&str; 2] = ["production", "staging"];

impl Both {
    fn new() -> Result<Self> {
        let mut toml = "app = \"a\"\n".to_owned();
        let mut databases = NAMES.map(str::to_owned);
        for (name, database) in NAMES.iter().zip(&mut databases) {
            *database = cluster()?.database_with(name, &bulk(10))?;
            let url = cluster()?.url(database);
            toml += &format!(
                "[env.{name}]\nroot = \"{name}\"\n[env.{name}.database]\nurl = \"{url}\"\n\
                 [env.{name}.backup]\nstore = \"../store\"\n"
            );
        }
        let home = Home::new(&toml)?;
        for name in NAMES {
            fs::create_dir(home.path().join(name))?;
        }
        Ok(Self { home, databases })
    }

    fn run(&self, tool: &str, environment: &str, args: &[&str]) -> Result<Ended> {
        let tool = self.home.tool(tool)?.args(["-e", environment]);
        tool.args(args).run()
    }

    fn back_up(&self, environment: &str) -> Result<String> {
        let ended = self.run("th-backup", environment, &[])?.expect(0)?;
        Ok(ended.data()["set"].as_str().unwrap_or_default().to_owned())
    }
}

#[test]
fn it_is_of_the_environment() -> Result<()> {
    let both = Both::new()?;
    let [production, staging] = &both.databases;
    cluster()?.psql(staging, "UPDATE marker SET word = 'of staging'")?;
    let ours = both.back_up("production")?;
    sleep(Duration::from_millis(1100));
    let theirs = both.back_up("staging")?;
    cluster()?.psql(production, "UPDATE marker SET word = 'live'")?;

    let restore = |args: &[&str]| both.run("th-restore", "production", args);
    restore(&["verify"])?.expect(0)?;
    both.run("th-restore", "staging", &["verify"])?.expect(0)?;
    for args in [
        &["show"][..],
        &["show", "latest-proven"],
        &["show", "--at", "2100-01-01T00:00:00Z"],
    ] {
        let shown = restore(args)?.expect(0)?;
        assert_eq!(shown.data()["manifest"]["id"], *ours, "{args:?}");
    }
    let applied = restore(&["apply"])?.expect(0)?;
    assert_eq!(applied.data()["set"], *ours);
    assert_eq!(applied.record["warnings"], json!([]));
    let word = || cluster()?.psql(production, "SELECT word FROM marker");
    assert_eq!(word()?, "original");

    // Who names one of another means it, and is told.
    let applied = restore(&["apply", &theirs])?.expect(0)?;
    let warnings = applied.record["warnings"].to_string();
    ensure!(warnings.contains("'staging'"), "{warnings}");
    assert_eq!(word()?, "of staging");

    // Flags alone name no environment.
    let store = both.home.path().join("store");
    let flags = || {
        let tool = Tool::new("th-restore")?.args(["--store".as_ref(), store.as_os_str()]);
        Ok::<_, anyhow::Error>(cluster()?.target(tool, production))
    };
    let shown = flags()?.args(["show"]).run()?.expect(0)?;
    assert_eq!(shown.data()["manifest"]["id"], *ours);
    Ok(())
}

#[test]
fn of_environments_with_a_database_of_one_name_one_has_to_be_named() -> Result<()> {
    let both = Both::new()?;
    for name in NAMES {
        let url = cluster()?.url(&both.databases[0]);
        let tool = both.home.tool("th-backup")?.args(["-e", name]);
        tool.env("TH_DATABASE_URL", &url).run()?.expect(0)?;
    }
    let store = both.home.path().join("store");
    let tool = Tool::new("th-restore")?.args(["--store".as_ref(), store.as_os_str()]);
    let tool = cluster()?.target(tool, &both.databases[0]);
    let ended = tool.args(["apply", "--plan"]).run()?.expect(2)?;
    for name in NAMES {
        ensure!(ended.message().contains(name), "{}", ended.message());
    }
    Ok(())
}

fn restore(store: &Store, database: &str, args: &[&str]) -> Result<Ended> {
    let tool = store.target(Tool::new("th-restore")?);
    cluster()?.target(tool, database).args(args).run()
}

#[test]
fn it_is_of_the_database_that_is_given() -> Result<()> {
    let shop = App::new(cluster()?, "shop", &bulk(10))?;
    let ours = shop.backup()?;
    // As long as there is one source, its set may go anywhere.
    let copy = format!("{}_elsewhere", shop.database);
    let plan = restore(&shop.store, &copy, &["apply", "--plan"])?.expect(0)?;
    assert_eq!(plan.data()["set"], *ours);

    let blog = cluster()?.database_with("blog", &bulk(10))?;
    sleep(Duration::from_millis(1100));
    let theirs = crate::setup::backup(cluster()?, &blog, &shop.store)?;
    let theirs = theirs.run()?.expect(0)?.data()["set"].clone();
    for args in [&["apply"][..], &["verify"], &["apply", "latest"]] {
        let args = [args, &["--plan"]].concat();
        let plan = restore(&shop.store, &shop.database, &args)?.expect(0)?;
        assert_eq!(plan.data()["set"], *ours, "{args:?}");
    }
    let plan = restore(&shop.store, &blog, &["apply", "--plan"])?.expect(0)?;
    assert_eq!(plan.data()["set"], theirs);

    for ended in [
        restore(&shop.store, &copy, &["apply", "--plan"])?,
        shop.store
            .target(Tool::new("th-restore")?)
            .args(["show"])
            .run()?,
    ] {
        let ended = ended.expect(2)?;
        for name in [&shop.database, &blog] {
            ensure!(ended.message().contains(name), "{}", ended.message());
        }
        ensure!(!ended.record["error"]["hint"].is_null());
    }
    let plan = restore(&shop.store, &copy, &["apply", &ours, "--plan"])?.expect(0)?;
    assert_eq!(plan.data()["set"], *ours);
    Ok(())
}

#[test]
fn it_is_not_of_the_future() -> Result<()> {
    let app = App::new(cluster()?, "clock", &bulk(10))?;
    let first = app.backup()?;
    let at = date("+60 minutes")?;
    let ahead = format!("{}{}", at.replace([':', '-'], ""), &first[16..]);
    fs::rename(app.store.set(&first), app.store.set(&ahead))?;
    let mut manifest = app.store.manifest(&ahead)?;
    for (key, value) in [("id", &ahead), ("started_at", &at), ("finished_at", &at)] {
        manifest[key] = json!(value);
    }
    seal(&app.store, &ahead, &manifest)?;
    let ours = app.backup()?;
    for args in [&["show"][..], &["show", "--at", "2100-01-01T00:00:00Z"]] {
        let shown = app.restore(args)?.expect(0)?;
        assert_eq!(shown.data()["manifest"]["id"], *ours);
        let warnings = shown.record["warnings"].to_string();
        ensure!(warnings.contains(&ahead), "{warnings}");
    }
    let shown = app.restore(&["show", &ahead])?.expect(0)?;
    assert_eq!(shown.record["warnings"], json!([]));
    Ok(())
}
