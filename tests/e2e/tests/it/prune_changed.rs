//! Whatever becomes of a prune, its record says whether anything was changed.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::prune_docker_free::aged;
use crate::setup::Home;

#[test]
fn a_signal_after_the_first_deletion_leaves_something_changed() -> Result<()> {
    let home = Home::new(
        "app = \"a\"\n[env.test]\nroot = \".\"\n[env.test.backup]\nstore = \"store\"\n\
         [env.test.retention]\nlogs = [\"logs/*\"]\n",
    )?;
    for number in 0..4 {
        aged(
            &home.path().join(format!("logs/a.log.{number}")),
            40 + number,
            10,
        )?;
    }
    let bin = fs::canonicalize(std::env::var("TH_BIN_DIR").context("TH_BIN_DIR is not set")?)?;
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg("inject=/^unlinkat:signal=TERM:when=1")
        .arg(bin.join("th-prune"))
        .args(["logs", "--json", "-e", "test", "--config"])
        .arg(home.path().join("th.toml"))
        .output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let record: Value = serde_json::from_str(stdout.lines().last().context("no record")?)?;
    assert_eq!(record["error"]["exit"], 143, "{record}");
    assert_eq!(record["changed"], true, "{record}");
    assert_eq!(fs::read_dir(home.path().join("logs"))?.count(), 3);
    Ok(())
}
