//! The marker that keeps th-health quiet while a release is under way.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use th_kit::SlotApp;

use crate::swap_hold::holding;

/// Returns a time of a state file to the second, in which order is that of the letters.
fn time(state: &Value, key: &str) -> Result<String> {
    let text = state[key].as_str().with_context(|| format!("no {key}"))?;
    Ok(text.chars().take("2026-11-23T02:00:00".len()).collect())
}

/// Returns the time that date calls `when`, likewise.
fn date(when: &str) -> Result<String> {
    let mut date = Command::new("date");
    date.args(["--utc", "--date", when, "+%Y-%m-%dT%H:%M:%S"]);
    Ok(String::from_utf8(date.output()?.stdout)?.trim().to_owned())
}

#[test]
fn it_names_the_release_expires_by_itself_and_goes_with_the_swap() -> Result<()> {
    let app = SlotApp::released()?;
    let path = app.path("state/silence.json");
    ensure!(!path.exists(), "a release that is over is silent on");
    let running = holding(&app)?;
    let marker: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let pending: Value = serde_json::from_slice(&fs::read(app.path("state/swap.json"))?)?;
    assert_eq!(marker["tool"], "th-swap");
    assert_eq!(marker["run"], pending["run"]);
    assert_eq!(marker["reason"], "release of v2");
    let (since, until) = (time(&marker, "since_at")?, time(&marker, "until_at")?);
    ensure!(since <= date("now")?, "{marker}");
    // Beyond the hold of 120 s; and not for ever, whoever dies.
    ensure!(time(&pending, "hold_until_at")? < until, "{marker}");
    ensure!(until < date("now + 5 minutes")?, "{marker}");

    // Nobody watches, and the swap is not over.
    running.signal("INT")?;
    running.wait()?.expect(130)?;
    ensure!(path.exists(), "the silence ended before the swap");
    app.swap(&["rollback"])?.run()?.expect(0)?;
    ensure!(!path.exists(), "the silence outlasts the way back");

    app.sicken("v3", "exit=7")?;
    app.swap(&["to", "--tag", "v3"])?.run()?.expect(20)?;
    ensure!(!path.exists(), "the silence outlasts a failed release");
    Ok(())
}
