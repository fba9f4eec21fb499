//! scripts/nightly.sh: backup, proof and pruning under one lock.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;
use th_kit::{PASSWORD, PASSWORD_IN_URL, Server, Tool};

use crate::setup::{cluster, files};

/// An environment `test` with a database, files and a policy.
struct Home {
    dir: TempDir,
    database: String,
    files: TempDir,
}

impl Home {
    fn new(policy: &str) -> Result<Self> {
        let server = cluster()?;
        let database = server.database_with("nightly", "CREATE TABLE t (x int)")?;
        let files = files()?;
        let dir = tempfile::tempdir()?;
        let url = server.url(&database).replace(PASSWORD_IN_URL, "${PW}");
        let toml = format!(
            "app = \"a\"\n[env.test2]\nroot = \"/nowhere\"\n[ env.test ] # this one\n\
             root = 'app'\nenv_file = \"../.env\"\n\
             [env.test.database]\nurl = \"{url}\"\n[env.test.files]\nuploads = \"{}\"\n\
             [env.test.backup]\nstore = \"store\"\n[env.test.retention]\n{policy}\n",
            files.path().display()
        );
        fs::write(dir.path().join("th.toml"), toml)?;
        fs::write(dir.path().join(".env"), format!("PW='{PASSWORD}'\n"))?;
        fs::create_dir(dir.path().join("app"))?;
        Ok(Self {
            dir,
            database,
            files,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the script as cron does: with hardly any environment.
    fn nightly(&self, args: &[&str]) -> Result<Output> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/nightly.sh");
        let bin = std::env::var("TH_BIN_DIR").context("TH_BIN_DIR is not set")?;
        let bin = fs::canonicalize(bin)?;
        let path = std::env::var("PATH")?;
        // What a test puts in the place of a tool.
        let own = self.path("bin");
        let own = own.display();
        Ok(Command::new("sh")
            .arg(fs::canonicalize(script)?)
            .args(args)
            .env_clear()
            .env("PATH", format!("{own}:{}:{path}", bin.display()))
            .env("TH_BIN", &bin)
            .env("TH_CONFIG", self.path("th.toml"))
            .env("TH_LOCK_WAIT", "1")
            .current_dir("/")
            .output()?)
    }

    fn sets(&self) -> usize {
        fs::read_dir(self.path("app/store/sets")).map_or(0, Iterator::count)
    }
}

fn records(output: &Output) -> Result<Vec<Value>> {
    let stdout = String::from_utf8(output.stdout.clone())?;
    let values: Vec<Value> =
        (stdout.lines().map(serde_json::from_str)).collect::<Result<_, _>>()?;
    Ok(values
        .into_iter()
        .filter(|value| !value["tool"].is_null())
        .collect())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_good_night_is_silent_and_all_of_one_run() -> Result<()> {
    let home = Home::new("keep_last = 2\nmin_keep = 0\nmin_age = 0\nmax_delete = 0")?;
    // Each backup warns of it.
    let _socket = UnixListener::bind(home.files.path().join("socket"))?;
    for night in 1..=3 {
        let output = home.nightly(&["test"])?;
        assert_eq!(said(&output), "");
        assert_eq!(output.status.code(), Some(0));
        let records = records(&output)?;
        let kinds: Vec<_> = records.iter().map(|record| &record["kind"]).collect();
        assert_eq!(kinds, ["backup", "verified", "pruned"]);
        assert!(
            records
                .iter()
                .all(|record| record["run"] == records[0]["run"])
        );
        assert_eq!(records[0]["warnings"].as_array().map(Vec::len), Some(1));
        assert_eq!(records[1]["data"]["reached"], "content");
        assert_eq!(home.sets(), night.min(2));
    }
    let journal = fs::read_to_string(home.path("app/state/journal.jsonl"))?;
    assert_eq!(journal.lines().count(), 9);
    // Nobody holds the lock any more.
    let config = home.path("th.toml");
    let tool = Tool::new("th-prune")?.args(["--config".as_ref(), config.as_os_str()]);
    tool.args(["-e", "test", "sets"]).run()?.expect(0)?;
    Ok(())
}

#[test]
fn a_bad_night_stops_where_it_broke_and_says_so() -> Result<()> {
    let home = Home::new("keep_last = 1\nmin_keep = 0\nmin_age = 0\nmax_delete = 0")?;
    for _ in 0..2 {
        assert_eq!(home.nightly(&["test", "bytes"])?.status.code(), Some(0));
    }
    assert_eq!(home.sets(), 1);
    cluster()?.psql("postgres", &format!("DROP DATABASE \"{}\"", home.database))?;
    let output = home.nightly(&["test"])?;
    assert_eq!(output.status.code(), Some(13), "{}", said(&output));
    assert!(said(&output).contains(&home.database), "{}", said(&output));
    let records = records(&output)?;
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| record["ok"] == false));
    assert_eq!(home.sets(), 1);
    Ok(())
}

#[test]
fn what_should_be_looked_at_is_said() -> Result<()> {
    let home = Home::new("keep_last = 9")?;
    fs::remove_file(home.files.path().join("latest"))?;
    assert_eq!(said(&home.nightly(&["test", "bytes"])?), "");
    fs::create_dir(home.path("app/store/sets/photos"))?;
    let output = home.nightly(&["test", "bytes"])?;
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output).contains("photos"), "{}", said(&output));
    Ok(())
}

#[test]
fn a_pack_that_is_gone_is_told_of_by_whoever_misses_it() -> Result<()> {
    let home = Home::new("keep_last = 9")?;
    assert_eq!(said(&home.nightly(&["test"])?), "");
    let packs = home.path("app/store/packs");
    let pack = fs::read_dir(&packs)?.next().context("no pack")??;
    fs::remove_file(pack.path())?;
    let _socket = UnixListener::bind(home.files.path().join("socket"))?;
    let output = home.nightly(&["test"])?;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let said = said(&output);
    let name = pack.file_name().to_string_lossy().into_owned();
    let told = format!("th-backup: warning: pack '{name}' is damaged or gone");
    assert!(said.contains(&told), "{said}");
    assert!(!said.contains("socket"), "{said}");
    Ok(())
}

#[test]
fn what_a_proof_wonders_at_is_said() -> Result<()> {
    let home = Home::new("keep_last = 9")?;
    // As th-restore, with a warning that has quotes, of two.
    let bin = home.path("bin");
    fs::create_dir(&bin)?;
    let script = "#!/bin/sh\n\"$TH_BIN/th-restore\" \"$@\" |\n\
                  sed '/\"kind\":\"verified\"/s/\"warnings\":\\[/&\"skipped: x\",\"a \\\\\"b\\\\\", c\"/'\n";
    let tool = bin.join("th-restore");
    fs::write(&tool, script)?;
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755))?;
    let output = home.nightly(&["test", "bytes"])?;
    let expected = "th-restore: warning: a \\\"b\\\", c\n";
    assert_eq!(said(&output), expected);
    Ok(())
}

#[test]
fn it_waits_for_the_lock_and_names_who_holds_it() -> Result<()> {
    let home = Home::new("keep_last = 9")?;
    fs::create_dir(home.path("app/state"))?;
    let lock = home.path("app/state/lock");
    fs::write(&lock, "somebody else")?;
    // It ends with its stdin.
    let mut holder = Command::new("sh")
        .args(["-c", "exec 9>>\"$0\"; flock 9; read _"])
        .arg(&lock)
        .stdin(Stdio::piped())
        .spawn()?;
    while Command::new("flock")
        .arg("-n")
        .arg(&lock)
        .arg("true")
        .status()?
        .success()
    {}
    let output = home.nightly(&["test"])?;
    drop(holder.stdin.take());
    holder.wait()?;
    assert_eq!(output.status.code(), Some(11));
    assert!(
        said(&output).contains("locked by somebody else"),
        "{}",
        said(&output)
    );
    assert_eq!(home.sets(), 0);
    Ok(())
}

#[test]
fn what_is_not_there_is_named() -> Result<()> {
    let home = Home::new("keep_last = 9")?;
    let output = home.nightly(&["staging"])?;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("[env.staging]"), "{}", said(&output));
    assert_eq!(home.nightly(&[])?.status.code(), Some(2));
    Ok(())
}
