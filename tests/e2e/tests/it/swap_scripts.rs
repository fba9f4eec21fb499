//! The scripts: a release from one line, and the ways back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::Value;
use th_kit::{Server, SlotApp};

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
    app.write_config(&format!(
        "[env.test.database]\nurl = \"{}\"",
        cluster.url(&database)
    ))?;
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

    let said = scripts.run("deploy.sh", &["-t", "v9"])?;
    assert_eq!((said.code, app.answer()?), (Some(10), "v2 green".into()));

    cluster.psql(&database, "UPDATE word SET word = 'damaged'")?;
    let said = scripts.run("rollback.sh", &["-t", "database"])?;
    ensure!(said.code == Some(0), "{}", said.stderr);
    assert_eq!(word()?, "before");

    let said = scripts.run("rollback.sh", &["-t", "deployment"])?;
    ensure!(said.code == Some(0), "{}", said.stderr);
    assert_eq!(app.answer()?, "v1 blue");

    assert_eq!(
        scripts.run("rollback.sh", &["-t", "everything"])?.code,
        Some(2)
    );
    Ok(())
}

#[test]
fn deploy_waits_for_nobody_and_says_who_is_at_it() -> Result<()> {
    let app = SlotApp::released()?;
    let bin = fs::canonicalize(std::env::var("TH_BIN_DIR")?)?;
    let mut holder = Command::new("flock")
        .arg("--no-fork")
        .arg(app.path("state/lock"))
        .args(["sleep", "60"])
        .spawn()?;
    crate::backup_failures::wait_for(|| {
        let free = Command::new("flock")
            .arg("-n")
            .arg(app.path("state/lock"))
            .arg("true")
            .status()?;
        Ok(!free.success())
    })?;
    let said = Scripts { app: &app, bin }.run("deploy.sh", &["-t", "v2"])?;
    holder.kill()?;
    holder.wait()?;
    assert_eq!(said.code, Some(11));
    ensure!(said.stderr.contains("test is locked by"), "{}", said.stderr);
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}
