//! The scripts: a release from one line, and the ways back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use th_kit::{Server, SlotApp};

use crate::swap_database::with_database;

struct Scripts<'a> {
    app: &'a SlotApp,
    bin: PathBuf,
}

/// What a script has said: its records, and the rest.
struct Said {
    code: Option<i32>,
    records: Vec<Value>,
    stderr: String,
}

impl Scripts<'_> {
    fn run(&self, name: &str, args: &[&str]) -> Result<Said> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
        let path = std::env::var("PATH")?;
        let output = Command::new(scripts.join(name))
            .args(["-e", "test", "-c"])
            .arg(self.app.path("th.toml"))
            .args(args)
            .env("PATH", format!("{}:{path}", self.bin.display()))
            .env_remove("TH_LOCK_FD")
            .output()?;
        let stdout = String::from_utf8(output.stdout)?;
        Ok(Said {
            code: output.status.code(),
            records: stdout
                .lines()
                .map(serde_json::from_str)
                .collect::<Result<_, _>>()?,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

#[test]
fn deploy_and_both_ways_back() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let database = cluster.database_with(
        "scripts",
        "CREATE TABLE word (word text); INSERT INTO word VALUES ('before')",
    )?;
    let word = || cluster.psql(&database, "SELECT word FROM word");
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    let bin = fs::canonicalize(std::env::var("TH_BIN_DIR")?)?;
    let scripts = Scripts { app: &app, bin };

    let said = scripts.run("deploy.sh", &["-t", "v1", "--", "--probes", "2"])?;
    ensure!(said.code == Some(0), "{}", said.stderr);
    let said = scripts.run("deploy.sh", &["-t", "v2"])?;
    ensure!(said.code == Some(0), "{}", said.stderr);
    // Silent on a good night, so that cron has nothing to mail.
    assert_eq!(said.stderr, "");
    let kinds: Vec<&Value> = said.records.iter().map(|record| &record["kind"]).collect();
    assert_eq!(kinds, ["backup", "swapped"]);
    assert_eq!(said.records[0]["run"], said.records[1]["run"]);
    assert_eq!(
        said.records[0]["data"]["set"],
        said.records[1]["data"]["pre_release_set"]
    );
    assert_eq!(app.answer()?, "v2 green");
    let set = said.records[0]["data"]["set"]
        .as_str()
        .context("no set")?
        .to_owned();

    let said = scripts.run("deploy.sh", &["-t", "v9"])?;
    assert_eq!((said.code, app.answer()?), (Some(10), "v2 green".into()));

    cluster.psql(&database, "UPDATE word SET word = 'damaged'")?;
    let said = scripts.run("rollback.sh", &["-t", "database"])?;
    ensure!(said.code == Some(0), "{}", said.stderr);
    assert_eq!(word()?, "before");

    let said = scripts.run("rollback.sh", &["-t", "deployment"])?;
    ensure!(said.code == Some(0), "{}", said.stderr);
    assert_eq!(app.answer()?, "v1 blue");

    // The set from before v1 is one release too old, and there is none for an unknown environment.
    let said = scripts.run("rollback.sh", &["-t", "database"])?;
    assert_eq!((said.code, word()?.as_str()), (Some(10), "before"));
    ensure!(said.stderr.contains(&set), "{}", said.stderr);
    let said = scripts.run("rollback.sh", &["-t", "database", "-e", "nosuch"])?;
    assert_eq!(
        said.records[0]["error"]["exit"],
        said.code.context("no exit status")?
    );

    assert_eq!(
        scripts.run("rollback.sh", &["-t", "everything"])?.code,
        Some(2)
    );
    Ok(())
}

#[test]
fn a_migration_comes_after_the_backup_and_before_the_release() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let database = cluster.database_with(
        "migrates",
        "CREATE TABLE word (word text); INSERT INTO word VALUES ('before')",
    )?;
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let bin = fs::canonicalize(std::env::var("TH_BIN_DIR")?)?;
    let scripts = Scripts { app: &app, bin };

    let said = scripts.run("deploy.sh", &["-t", "v2", "-m", "echo half; exit 7"])?;
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert_eq!(said.records.len(), 1);
    assert_eq!(said.records[0]["kind"], "backup");
    assert_eq!(app.answer()?, "v1 blue");

    let sql = format!(
        "psql -qX {} -c \"UPDATE word SET word = '$TH_TAG'\"",
        cluster.url(&database)
    );
    let said = scripts.run("deploy.sh", &["-t", "v2", "-m", &sql])?;
    ensure!(said.code == Some(0), "{}", said.stderr);
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(cluster.psql(&database, "SELECT word FROM word")?, "v2");
    let said = scripts.run("rollback.sh", &["-t", "database"])?;
    ensure!(said.code == Some(0), "{}", said.stderr);
    assert_eq!(cluster.psql(&database, "SELECT word FROM word")?, "before");
    Ok(())
}

#[test]
fn deploy_waits_for_nobody_and_says_who_is_at_it() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let database = cluster.database_with("deploys", "")?;
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    app.sicken("v2", "boot=5")?;
    let bin = fs::canonicalize(std::env::var("TH_BIN_DIR")?)?;
    let scripts = Scripts { app: &app, bin };
    let (first, second, at_it) = thread::scope(|scope| {
        let first = scope.spawn(|| scripts.run("deploy.sh", &["-t", "v2"]));
        crate::backup_failures::wait_for(|| Ok(app.path("state/swap.json").exists()))?;
        let second = scripts.run("deploy.sh", &["-t", "v3"])?;
        let at_it = holder(&second)?;
        let program = fs::read_to_string(format!("/proc/{}/comm", at_it["pid"]))?;
        assert_eq!(program.trim(), "th-swap", "{at_it}");
        let first = first.join();
        let first = first.map_err(|_| anyhow::anyhow!("the first one died"))??;
        anyhow::Ok((first, second, at_it))
    })?;
    ensure!(first.code == Some(0), "{}", first.stderr);
    assert_eq!((second.code, second.records.len()), (Some(11), 0));
    assert_eq!(at_it["tool"], "th-swap");
    assert_eq!(at_it["run"], first.records[1]["run"]);
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}

/// Before its first tool is at it, the script itself is.
#[test]
fn deploy_says_that_it_holds_the_lock() -> Result<()> {
    let app = SlotApp::released()?;
    let real = fs::canonicalize(std::env::var("TH_BIN_DIR")?)?;
    // With a backup that fails before it asks for the lock.
    let tools = tempfile::tempdir()?;
    symlink(real.join("th-swap"), tools.path().join("th-swap"))?;
    symlink("/bin/false", tools.path().join("th-backup"))?;
    let bin = tools.path().to_owned();
    let said = Scripts { app: &app, bin }.run("deploy.sh", &["-t", "v2"])?;
    ensure!(said.code != Some(0), "{}", said.stderr);
    let text = fs::read_to_string(app.path("state/lock"))?;
    ensure!(text.contains("deploy.sh"), "{text}");
    Ok(())
}

/// Returns who holds the lock, as a script has said.
fn holder(said: &Said) -> Result<Value> {
    let (_, holder) = (said.stderr.split_once("locked by "))
        .with_context(|| format!("nobody is named: {}", said.stderr))?;
    Ok(serde_json::from_str(holder)?)
}
