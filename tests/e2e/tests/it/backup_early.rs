//! What would fail a backup at its end is found before it begins, and by a plan.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;
use th_kit::{Ended, Server};

use crate::setup::{Home, cluster, while_locked};

/// An environment with a database and files, whose `[env.p.files]` has `line` too.
fn home(database: &str, line: &str) -> Result<Home> {
    let url = cluster()?.url(database);
    let home = Home::new(&format!(
        "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.files]\nuploads = \"files\"\n{line}\n\
         [env.p.database]\nurl = \"{url}\"\n[env.p.backup]\nstore = \"store\"\n"
    ))?;
    fs::create_dir(home.path().join("files"))?;
    Ok(home)
}

/// Backs up, and plans to: both fail alike, and nothing is done before.
fn both(line: &str, code: i32) -> Result<Ended> {
    let home = home(&cluster()?.database("early")?, line)?;
    let plan = home.backup(&["--plan"])?.expect(code)?;
    let ended = home.backup(&[])?.expect(code)?;
    assert_eq!(ended.record["error"], plan.record["error"]);
    assert_eq!(ended.record["error"]["done"], Value::Array(Vec::new()));
    Ok(ended)
}

#[test]
fn a_configuration_file_that_cannot_be_kept() -> Result<()> {
    let ended = both("config = [\"nope.yml\"]", 10)?;
    ensure!(ended.message().contains("nope.yml"), "{}", ended.message());
    for name in ["/etc/hostname", "../hostname"] {
        assert_eq!(both(&format!("config = [\"{name}\"]"), 2)?.kind(), "config");
    }
    Ok(())
}

#[test]
fn a_query_that_the_server_does_not_understand() -> Result<()> {
    let ended = both("references = \"SELECT path FROM documnets\"", 2)?;
    let message = ended.message();
    ensure!(
        message.contains("th.toml:6:14: files.references"),
        "{message}"
    );
    ensure!(message.contains("documnets"), "{message}");
    // One may end as it does in psql.
    let good = home(
        &cluster()?.database("early")?,
        "references = \"SELECT 'a';\"",
    )?;
    good.backup(&["--plan"])?.expect(0)?;
    Ok(())
}

#[test]
fn a_query_of_a_locked_table_waits_no_longer_than_is_said() -> Result<()> {
    let server = cluster()?;
    let database = server.database_with("early", "CREATE TABLE documents (path text)")?;
    let home = home(&database, "references = \"SELECT path FROM documents\"")?;
    let start = Instant::now();
    let ended = while_locked(server, &database, "LOCK documents", || {
        home.backup(&["--plan", "--lock-wait", "1s"])
    })?;
    ended.expect(1)?;
    ensure!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    Ok(())
}
