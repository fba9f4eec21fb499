//! A way back to where the traffic is.

use anyhow::{Result, ensure};
use th_kit::{Ended, SlotApp};

use crate::swap_hold::holding;

const THERE: [&str; 3] = ["rollback", "--to", "v2"];

/// Nothing was done, or would be.
fn is_there(app: &SlotApp, slots: &[&str]) -> Result<()> {
    let ended: [Ended; 2] = [
        app.swap(&THERE)?.run()?.expect(0)?,
        app.swap(&THERE)?.args(["--plan"]).run()?.expect(0)?,
    ];
    for ended in ended {
        assert_eq!(ended.record["changed"], false, "{}", ended.record);
        ensure!(ended.data().is_null(), "{}", ended.record);
    }
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(app.running("api")?, slots);
    Ok(())
}

#[test]
fn a_hold_is_not_ended_for_nothing() -> Result<()> {
    let app = SlotApp::released()?;
    let mut running = holding(&app)?;
    is_there(&app, &["blue", "green"])?;
    ensure!(!running.is_over(), "the hold was ended");
    app.swap(&["rollback"])?.run()?.expect(0)?;
    running.wait()?.expect(20)?;
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}

#[test]
fn what_has_the_traffic_is_not_started_again() -> Result<()> {
    let app = SlotApp::released()?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    is_there(&app, &["green"])
}
