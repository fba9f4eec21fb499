//! A canary that another run goes on with keeps what was known when it began.

use std::fs;

use anyhow::Result;
use serde_json::Value;
use th_kit::{Ended, SlotApp};

use crate::swap_canary::{BY_PROBES, app, run};
use crate::swap_rollback::backup;

/// Runs a canary that pauses for want of traffic, right after the backup `set`.
fn start_after_backup(app: &SlotApp, set: &str) -> Result<Ended> {
    let args = [
        "canary", "--tag", "v2", "--steps", "10", "--every", "1s", "-",
    ];
    app.swap(&args)?.stdin(backup(set)?).run()
}

/// The backup that history knows of the live release.
fn live_set(app: &SlotApp) -> Result<Value> {
    let history = app.swap(&["history"])?.run()?.expect(0)?;
    let newest = history.stdout.lines().next().unwrap_or_default();
    Ok(serde_json::from_str::<Value>(newest)?["pre_release_set"].clone())
}

#[test]
fn a_paused_canary_that_goes_on_keeps_the_backup_made_before_it() -> Result<()> {
    let app = app()?;
    let paused = start_after_backup(&app, "20261123T020000Z-7f3a")?.expect(4)?;
    let set = paused.data()["pre_release_set"].clone();
    assert_eq!(set, "20261123T020000Z-7f3a");
    let ended = run(&app, "10,50", "3s", &BY_PROBES)?.expect(0)?;
    assert_eq!(ended.data()["pre_release_set"], set);
    assert_eq!(live_set(&app)?, set);
    Ok(())
}

#[test]
fn a_canary_that_is_finished_by_another_run_keeps_it_too() -> Result<()> {
    let app = app()?;
    start_after_backup(&app, "20261123T020000Z-7f3a")?.expect(4)?;
    // As if it had been killed in its switch, as the old slot fell ill.
    let pending = fs::read_to_string(app.path("state/swap.json"))?;
    let pending = pending.replace("\"paused\"", "\"switching\"");
    fs::write(app.path("state/swap.json"), pending)?;
    app.sicken("v1", "health=500")?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(live_set(&app)?, "20261123T020000Z-7f3a");
    Ok(())
}
