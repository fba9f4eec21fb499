//! The way back after a run that was killed: one release back, and never two.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use th_kit::{Ended, Long, SlotApp, Stream};

use crate::swap_death::kill_in;

/// An app with `v1` and `v2` released: there is one more release to go back to.
fn twice_released() -> Result<SlotApp> {
    let app = SlotApp::released()?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    Ok(app)
}

/// Checks that `tag` has the traffic and nothing is left to do, and that `back` says so.
fn check(app: &SlotApp, back: &Ended, tag: &str) -> Result<()> {
    let status = app.swap(&["status"])?.run()?.expect(0)?;
    assert_eq!(status.data()["tag"], tag);
    let live = app.lanes()?.join("+");
    assert_eq!(app.answer()?, format!("{tag} {live}"));
    assert_eq!(app.running("api")?, [live.as_str()]);
    assert_eq!(back.data()["tag"], tag, "{}", back.record);
    assert_eq!(back.data()["live"], live.as_str(), "{}", back.record);
    assert_eq!(back.record["changed"], true, "{}", back.record);
    Ok(())
}

#[test]
fn from_a_release_that_was_killed() -> Result<()> {
    let app = twice_released()?;
    for phase in ["starting", "switching"] {
        kill_in(&app, &["to", "--tag", "v3"], phase)?;
        let plan = app.swap(&["rollback", "--plan"])?.run()?.expect(0)?;
        assert_eq!(plan.data()["steps"][0]["action"], "take_back", "{phase}");
        let back = app.swap(&["rollback"])?.run()?.expect(0)?;
        assert_eq!(back.data()["previous_tag"], "v3", "{phase}");
        check(&app, &back, "v2")?;
    }
    // By name it may go further.
    kill_in(&app, &["to", "--tag", "v3"], "switching")?;
    let back = app.swap(&["rollback", "--to", "v1"])?.run()?.expect(0)?;
    check(&app, &back, "v1")
}

#[test]
fn from_the_second_release_that_was_killed() -> Result<()> {
    let app = SlotApp::released()?;
    for args in [vec!["rollback"], vec!["rollback", "--to", "v1"]] {
        kill_in(&app, &["to", "--tag", "v2"], "switching")?;
        let back = app.swap(&args)?.run()?.expect(0)?;
        assert_eq!(back.data()["booted"], false);
        check(&app, &back, "v1")?;
    }
    let none = app.swap(&["rollback"])?.run()?.expect(10)?;
    assert_eq!(none.record["changed"], false);
    Ok(())
}

/// Nobody watches, so the rollback that is killed is the one that has all to do.
#[test]
fn again_after_a_warm_one_that_was_killed() -> Result<()> {
    let app = twice_released()?;
    // Time to kill it, as it stops the slot.
    app.sicken("v3", "ignore_term=1")?;
    kill_in(&app, &["to", "--tag", "v3", "--hold", "60s"], "holding")?;
    kill_in(&app, &["rollback"], "reverted")?;
    assert_eq!(app.answer()?, "v2 green");
    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    check(&app, &back, "v2")
}

#[test]
fn again_after_a_cold_one_that_was_killed() -> Result<()> {
    for phase in ["starting", "switching", "draining"] {
        let app = twice_released()?;
        app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
        // Time to kill it, as it drains the slot.
        let front = app.nginx().address();
        let time = Duration::from_secs(10);
        let download = Stream::start(Long::Download, &front, "/download?seconds=3", "", time);
        thread::sleep(Duration::from_millis(200));
        kill_in(&app, &["rollback"], phase)?;
        let back = app.swap(&["rollback"])?.run()?.expect(0)?;
        check(&app, &back, "v2")?;
        drop(download);
    }
    Ok(())
}

/// A way back that was killed is gone back from by name only.
#[test]
fn forward_again_by_name() -> Result<()> {
    let app = twice_released()?;
    kill_in(&app, &["rollback", "--hold", "60s"], "holding")?;
    let plan = app.swap(&["rollback", "--plan"])?.run()?.expect(0)?;
    assert_eq!(plan.data()["steps"][0]["action"], "finish");
    let back = app.swap(&["rollback", "--to", "v2"])?.run()?.expect(0)?;
    ensure!(back.data()["booted"] == false, "{}", back.record);
    check(&app, &back, "v2")
}
