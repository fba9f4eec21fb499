//! A canary that is paused: what cannot begin leaves it alone. And what is refused for what was typed.

use anyhow::{Result, ensure};
use th_kit::SlotApp;

use crate::swap_canary::{BY_PROBES, app, run};

#[test]
fn what_cannot_begin_does_not_end_a_canary() -> Result<()> {
    let app = app()?;
    run(&app, "10", "1s", &[])?.expect(4)?;
    for (args, exit) in [
        (vec!["to", "--tag", "typo"], 10),
        (vec!["to", "--tag", "v3", "--exclusive", "none"], 2),
        (vec!["canary", "--tag", "typo", "--every", "1s"], 10),
        (vec!["rollback", "--to", "typo"], 10),
    ] {
        let refused = app.swap(&args)?.run()?.expect(exit)?;
        assert_eq!(refused.record["changed"], false, "{}", refused.record);
        let status = app.swap(&["status"])?.run()?;
        let pending = &status.data()["pending"];
        assert_eq!(
            (&pending["tag"], &pending["phase"]),
            (&"v2".into(), &"paused".into())
        );
        assert_eq!(app.lanes()?, ["blue", "green"]);
    }
    // It goes on from where it was.
    run(&app, "10", "3s", &BY_PROBES)?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}

#[test]
fn what_can_begin_takes_the_place_of_a_canary() -> Result<()> {
    let app = app()?;
    run(&app, "10", "1s", &[])?.expect(4)?;
    app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v3 green");
    assert_eq!(app.running("api")?, ["green"]);
    Ok(())
}

#[test]
fn what_was_typed_in_vain_is_refused() -> Result<()> {
    let app = SlotApp::released()?;
    for args in [
        vec!["to", "--tag", ""],
        vec!["to", "--tag", "v2", "--hold", "300000y"],
    ] {
        assert_eq!(app.swap(&args)?.run()?.code, 2, "{args:?}");
    }
    let args = ["to", "--tag", "v2", "--exclusive", "api"];
    let refused = app.swap(&args)?.run()?.expect(2)?;
    ensure!(
        refused.message().contains("'api' has traffic"),
        "{}",
        refused.record
    );
    assert_eq!(app.answer()?, "v1 blue");

    app.add_worker()?;
    let refused = app.swap(&["to", "--tag", "typo"])?.run()?.expect(10)?;
    let found = format!("image '{}:typo' is not there", app.name());
    ensure!(refused.message().contains(&found), "{}", refused.record);
    Ok(())
}
