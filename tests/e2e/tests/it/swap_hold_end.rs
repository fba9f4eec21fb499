//! The end of the hold: the old slot is stopped for one that is alive, and for no other.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use th_kit::{Running, SlotApp};

use crate::backup_failures::wait_for;

/// Releases `v2` over `v1` with a short hold, and returns in it.
fn holding(app: &SlotApp, hold: &str) -> Result<Running> {
    let running = app.swap(&["to", "--tag", "v2", "--hold", hold])?.start()?;
    wait_for(|| {
        let pending = fs::read_to_string(app.path("state/swap.json"));
        Ok(pending.is_ok_and(|text| text.contains("\"holding\"")))
    })?;
    Ok(running)
}

/// A run that died in its hold, which is over by now, as is the new slot.
fn died_with_its_slot(app: &SlotApp) -> Result<()> {
    ensure!(holding(app, "1s")?.kill(), "it had ended");
    thread::sleep(Duration::from_secs(2));
    app.sicken("v2", "health=500")
}

fn check_back(app: &SlotApp) -> Result<()> {
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(app.running("api")?, ["blue"]);
    assert_eq!(app.lanes()?, ["blue"]);
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn resume_looks_before_it_stops_the_old_slot() -> Result<()> {
    let app = SlotApp::released()?;
    died_with_its_slot(&app)?;
    let ended = app.swap(&["resume"])?.run()?.expect(20)?;
    ensure!(
        ended.message().contains("probes in a row failed"),
        "{}",
        ended.record
    );
    check_back(&app)?;
    // And it is stopped for one that is well.
    app.sicken("v2", "")?;
    ensure!(holding(&app, "1s")?.kill(), "it had ended");
    thread::sleep(Duration::from_secs(2));
    app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(app.running("api")?, ["green"]);
    Ok(())
}

#[test]
fn the_next_release_takes_a_dead_one_back() -> Result<()> {
    let app = SlotApp::released()?;
    died_with_its_slot(&app)?;
    let plan = app.swap(&["resume", "--plan"])?.run()?.expect(0)?;
    assert_eq!(plan.data()["steps"][0]["action"], "take_back");
    let ended = app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
    ensure!(
        ended.record["warnings"].to_string().contains("took back"),
        "{}",
        ended.record
    );
    assert_eq!(
        (&ended.data()["previous_tag"], app.answer()?),
        (&"v1".into(), "v3 green".into())
    );
    let history = app.swap(&["history"])?.run()?.expect(0)?;
    assert_eq!(history.data()["live"], "v3");
    Ok(())
}

/// A run that was killed between the journal and the stop of the old slot.
#[test]
fn a_retirement_is_not_gone_on_with_for_a_dead_slot() -> Result<()> {
    let app = SlotApp::released()?;
    died_with_its_slot(&app)?;
    let path = app.path("state/swap.json");
    let pending = fs::read_to_string(&path)?.replace("\"holding\"", "\"retiring\"");
    fs::write(path, pending)?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    check_back(&app)
}

#[test]
fn who_waits_for_the_lock_goes_on_watching() -> Result<()> {
    let app = SlotApp::released()?;
    let mut running = holding(&app, "3s")?;
    // As a backup does, in the file's own words too.
    let lock = File::options().write(true).open(app.path("state/lock"))?;
    wait_for(|| Ok(lock.try_lock().is_ok()))?;
    let holder = concat!(
        r#"{"tool":"th-backup","run":"20261123T020000Z-7f3a","pid":1,"#,
        r#""since_at":"2026-11-23T02:00:00Z"}"#
    );
    fs::write(app.path("state/lock"), holder)?;
    thread::sleep(Duration::from_secs(5));
    ensure!(!running.is_over(), "it did not wait for the lock");
    app.sicken("v2", "health=500")?;
    wait_for(|| Ok(app.lanes()? == ["blue"]))?;
    drop(lock);
    running.wait()?.expect(20)?;
    check_back(&app)
}

/// Neither slot answers when the time is over, and then the old one does.
#[test]
fn the_hold_does_not_end_while_both_slots_are_down() -> Result<()> {
    let app = SlotApp::released()?;
    let mut running = holding(&app, "3s")?;
    app.sicken("v1", "health=500")?;
    app.sicken("v2", "health=500")?;
    thread::sleep(Duration::from_secs(6));
    ensure!(!running.is_over(), "it ended while nobody answered");
    assert_eq!(app.running("api")?, ["blue", "green"]);
    app.sicken("v1", "")?;
    running.wait()?.expect(20)?;
    check_back(&app)
}
