//! A terminal that is lost: SIGHUP ends a tool as SIGTERM does, unless it is to go on.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::backup_failures::wait_for;
use crate::backup_space::noise;
use crate::setup::{App, bulk, cluster};

#[test]
fn a_backup_cleans_up_and_ends_by_the_signal() -> Result<()> {
    let app = App::new(cluster()?, "hangup", &bulk(10))?;
    noise(&app.files.path().join("noise"), 4)?;
    let running = app
        .tool("th-backup")?
        .args(["--bandwidth", "500k"])
        .hearing_hangups()
        .start()?;
    wait_for(|| Ok(!app.store.incoming()?.is_empty()))?;
    // The shell and the kernel both tell of it.
    running.signal("HUP")?;
    running.signal("HUP")?;
    let ended = running.wait()?.expect(129)?;
    assert_eq!((ended.signal, ended.kind()), (Some(1), "hung_up"));
    assert_eq!(app.store.strays()?, Vec::<String>::new());
    assert_eq!(app.store.sets()?.len(), 0);
    ensure!(app.store.journal()?.contains("\"hung_up\""));
    Ok(())
}

#[test]
fn under_nohup_it_goes_on() -> Result<()> {
    let app = App::new(cluster()?, "nohup", "CREATE TABLE t ()")?;
    noise(&app.files.path().join("noise"), 1)?;
    let dir = std::env::var("TH_BIN_DIR")?;
    let child = Command::new("nohup")
        .arg(std::fs::canonicalize(dir)?.join("th-backup"))
        .args(["--bandwidth", "500k", "--files"])
        .arg(app.files.path())
        .arg("--store")
        .arg(app.store.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let started = wait_for(|| Ok(!app.store.incoming()?.is_empty()));
    let told = Command::new("kill")
        .args(["-s", "HUP", &child.id().to_string()])
        .status();
    let output = child.wait_with_output()?;
    started?;
    ensure!(told?.success());
    let text = String::from_utf8(output.stdout)?;
    let record: Value = serde_json::from_str(text.lines().last().context("no record")?)?;
    assert_eq!(record["ok"], true, "{record}");
    assert_eq!(app.store.check_whole()?, 1);
    Ok(())
}
