//! The runs of a chain share their id, and each swap of them is one of its own.

use anyhow::Result;
use th_kit::{Ended, SlotApp};

fn in_job(app: &SlotApp, args: &[&str]) -> Result<Ended> {
    app.swap(args)?.env("TH_RUN_ID", "job-7").run()
}

fn live(app: &SlotApp) -> Result<String> {
    let history = app.swap(&["history"])?.run()?.expect(0)?;
    let status = app.swap(&["status"])?.run()?.expect(0)?;
    assert_eq!(status.data()["tag"], history.data()["live"]);
    assert!(
        app.answer()?
            .starts_with(status.data()["tag"].as_str().unwrap_or("?"))
    );
    Ok(history.data()["live"].as_str().unwrap_or("?").to_owned())
}

#[test]
fn a_rollback_in_the_job_of_its_release() -> Result<()> {
    let app = SlotApp::released()?;
    in_job(&app, &["to", "--tag", "v2", "--hold", "0s"])?.expect(0)?;
    assert_eq!(live(&app)?, "v2");
    in_job(&app, &["rollback"])?.expect(0)?;
    assert_eq!(live(&app)?, "v1");
    // And there again: once more another swap of the same run.
    in_job(&app, &["to", "--tag", "v2", "--hold", "0s"])?.expect(0)?;
    assert_eq!(live(&app)?, "v2");
    Ok(())
}

#[test]
fn a_release_that_fails_in_the_job_of_one_that_did_not() -> Result<()> {
    let app = SlotApp::released()?;
    app.sicken("v3", "exit=7")?;
    in_job(&app, &["to", "--tag", "v2"])?.expect(0)?;
    in_job(&app, &["to", "--tag", "v3"])?.expect(20)?;
    assert_eq!(live(&app)?, "v2");
    Ok(())
}
