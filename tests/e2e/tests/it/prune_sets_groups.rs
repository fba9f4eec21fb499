//! Sets that are a backup of something else do not stand in for each other.

use std::fs;

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;
use th_kit::{Ended, Store, Tool};

use crate::prune_sets_store::{BARE, date, items, redate, text, with};
use crate::setup::{App, cluster};

const DAY: i64 = 24 * 60;

/// Makes a set with `args`, and dates it so many days back.
fn back_up(app: &App<'_>, args: &[&str], days: i64) -> Result<String> {
    let ended = app.tool("th-backup")?.args(args).run()?.expect(0)?;
    redate(&app.store, &text(&ended.data()["set"]), days * DAY)
}

#[test]
fn the_only_backup_of_the_files_stays_whatever_the_database_has() -> Result<()> {
    let app = App::new(cluster()?, "apart", "CREATE TABLE t (x int)")?;
    let files = back_up(&app, &["--no-db"], 6)?;
    let mut database = Vec::new();
    for day in [5, 4, 3, 2] {
        database.insert(0, back_up(&app, &["--no-files"], day)?);
    }
    let tool = app.store.target(Tool::new("th-prune")?);
    let args = ["sets", "--keep-last", "2", "--keep-weekly", "1"];
    let ended = tool.args(args).args(BARE).run()?.expect(0)?;
    assert_eq!(with(&ended, "delete")?, database[2..]);
    let sets = app.store.sets()?;
    assert!(sets.contains(&files), "{}", ended.stdout);
    // Its packs are needed: the files can be restored.
    app.restore(&["verify", &files, "--level", "bytes"])?
        .expect(0)?;

    // The list says what each is a backup of, so the filter decides the same.
    let list = app.restore(&["list"])?.expect(0)?;
    let filter = Tool::new("th-prune")?.args(["plan", "-", "--keep-last", "1"]);
    let ended = filter.args(BARE).stdin(list.stdout).run()?.expect(0)?;
    assert_eq!(with(&ended, "keep")?, [database[0].clone(), files]);
    Ok(())
}

#[test]
fn flags_that_say_all_need_no_environment_of_a_file_for_all() -> Result<()> {
    let shared = Shared::new()?;
    let lines = "{\"id\":\"a\",\"started_at\":\"2026-01-01T00:00:00Z\"}\n\
                 {\"id\":\"b\",\"started_at\":\"2026-01-02T00:00:00Z\"}\n";
    let config = shared.home.path().join("th.toml");
    let config = config.to_str().context("the path is not UTF-8")?;
    let filter = |args: &[&str]| {
        let tool = Tool::new("th-prune")?.env("TH_CONFIG", config);
        tool.args(["plan", "-"]).args(args).stdin(lines).run()
    };
    let ended = filter(&[&BARE[..], &["--keep-last", "1"]].concat())?.expect(0)?;
    assert_eq!(with(&ended, "delete")?, ["a"]);
    filter(&[])?.expect(2)?;
    Ok(())
}

/// Two environments that share a store.
struct Shared {
    home: TempDir,
    store: Store,
}

impl Shared {
    fn new() -> Result<Self> {
        let (home, store) = (tempfile::tempdir()?, Store::new()?);
        let mut toml = "app = \"a\"\n".to_owned();
        for name in ["production", "staging"] {
            fs::create_dir_all(home.path().join(name).join("uploads"))?;
            fs::write(home.path().join(name).join("uploads/file"), name)?;
            toml += &format!(
                "[env.{name}]\nroot = \"{name}\"\n[env.{name}.files]\nuploads = \"uploads\"\n\
                 [env.{name}.backup]\nstore = \"{}\"\n",
                store.path().display()
            );
        }
        fs::write(home.path().join("th.toml"), toml)?;
        Ok(Self { home, store })
    }

    fn tool(&self, name: &str, environment: &str) -> Result<Tool> {
        let config = self.home.path().join("th.toml");
        let tool = Tool::new(name)?.args(["--config".as_ref(), config.as_os_str()]);
        Ok(tool.args(["-e", environment]))
    }

    fn back_up(&self, environment: &str, days: i64) -> Result<String> {
        let ended = self.tool("th-backup", environment)?.run()?.expect(0)?;
        redate(&self.store, &text(&ended.data()["set"]), days * DAY)
    }

    fn prune(&self, environment: &str, args: &[&str]) -> Result<Ended> {
        let tool = self.tool("th-prune", environment)?;
        tool.args(["sets"]).args(args).args(BARE).run()
    }
}

#[test]
fn an_environment_leaves_the_sets_of_another_alone() -> Result<()> {
    let shared = Shared::new()?;
    let production = [6, 5, 4].map(|day| shared.back_up("production", day));
    let production = production.into_iter().collect::<Result<Vec<_>>>()?;
    let staging = [3, 2].map(|day| shared.back_up("staging", day));
    let staging = staging.into_iter().collect::<Result<Vec<_>>>()?;

    // The oldest of production lies in the trash, longer than staging would leave it there.
    let ended = shared
        .prune("production", &["--keep-last", "2"])?
        .expect(0)?;
    assert_eq!(with(&ended, "delete")?, production[..1]);
    let trash = shared.store.path().join("trash");
    let at = |time: &str| Ok::<_, anyhow::Error>(date(time)?.replace([':', '-'], ""));
    let dir = fs::read_dir(&trash)?.next().context("no trash")??.path();
    let past = trash.join(format!("{}.{}", production[0], at("-3 days")?));
    fs::rename(dir, &past)?;

    let args = ["--keep-last", "1", "--grace", "0"];
    let plan = shared
        .prune("staging", &[&args[..], &["--plan"]].concat())?
        .expect(0)?;
    let list = shared.tool("th-restore", "staging")?.args(["list"]).run()?;
    let filter = shared.tool("th-prune", "staging")?.args(["plan", "-"]);
    let filter = filter.args(["--keep-last", "1"]).args(BARE);
    let filtered = filter.stdin(list.stdout).run()?.expect(0)?;
    assert_eq!(with(&filtered, "delete")?, staging[..1]);
    let ended = shared.prune("staging", &args)?.expect(0)?;
    for ended in [&plan, &ended] {
        assert_eq!(with(ended, "purge")?, staging[..1]);
        let theirs = items(ended, "prune_set")?.into_iter();
        let theirs = theirs.filter(|item| item["blocked_by"] == json!(["other_environment"]));
        assert_eq!(theirs.count(), 3, "{}", ended.stdout);
        assert_eq!(ended.data()["kept_count"], 3);
        assert_eq!(ended.data()["trash_count"], 1);
        assert_eq!(ended.data()["newest_complete"], *staging[1]);
    }
    assert!(past.exists());
    assert_eq!(
        shared.store.sets()?,
        [&production[1..], &staging[1..]].concat()
    );
    Ok(())
}

#[test]
fn what_cannot_be_read_in_the_trash_stays_whoever_it_is_of() -> Result<()> {
    let shared = Shared::new()?;
    let production = [6, 5].map(|day| shared.back_up("production", day));
    let production = production.into_iter().collect::<Result<Vec<_>>>()?;
    shared.back_up("staging", 2)?;
    let ended = shared.prune("production", &["--keep-last", "1"])?;
    assert_eq!(with(&ended.expect(0)?, "delete")?, production[..1]);
    let trash = shared.store.path().join("trash");
    let dir = fs::read_dir(&trash)?.next().context("no trash")??.path();
    fs::write(dir.join("manifest.json"), "{}")?;

    let args = ["--keep-last", "1", "--grace", "0"];
    for environment in ["staging", "production"] {
        let ended = shared.prune(environment, &args)?.expect(0)?;
        assert_eq!(ended.data()["purged_count"], 0, "{}", ended.stdout);
        assert_eq!(ended.data()["trash_count"], 1);
        let items = items(&ended, "prune_set")?;
        let item = items.iter().find(|item| item["set"] == *production[0]);
        let item = item.context("the set in the trash is not told of")?;
        assert_eq!(item["blocked_by"], json!(["unreadable"]));
        let warned = format!("'{}' in the trash stays", production[0]);
        assert!(ended.stderr.contains(&warned), "{}", ended.stderr);
    }
    assert!(dir.exists());
    Ok(())
}

#[test]
fn broken_backups_of_one_group_keep_its_sets_and_let_the_others_go() -> Result<()> {
    let shared = Shared::new()?;
    for day in [20, 19, 18] {
        shared.back_up("production", day)?;
    }
    let staging = [2, 1, 0].map(|day| shared.back_up("staging", day));
    let staging = staging.into_iter().collect::<Result<Vec<_>>>()?;
    let tool = shared.store.target(Tool::new("th-prune")?);
    let args = [
        "sets",
        "--keep-last",
        "2",
        "--min-keep",
        "0",
        "--min-age",
        "0",
    ];
    let ended = tool
        .args(args)
        .args(["--max-delete", "100%"])
        .run()?
        .expect(3)?;
    assert_eq!(with(&ended, "delete")?, staging[..1]);
    assert!(
        ended.message().contains("'production'"),
        "{}",
        ended.message()
    );
    assert_eq!(ended.record["changed"], true);
    assert_eq!(
        items(&ended, "prune_set")?[5]["blocked_by"],
        json!(["stale"])
    );
    Ok(())
}
