//! The way back of a release whose worker only a flag made exclusive.

use std::fs;

use anyhow::{Result, ensure};
use th_kit::SlotApp;

const WORKER: [&str; 2] = ["--exclusive", "worker"];

fn release(app: &SlotApp, tag: &str, more: &[&str]) -> Result<()> {
    let release = app.swap(&["to", "--tag", tag])?.args(more);
    release.run()?.expect(0).map(drop)
}

#[test]
fn a_worker_never_runs_twice_on_the_way_back() -> Result<()> {
    let app = SlotApp::new()?;
    app.add_worker()?;
    release(&app, "v1", &WORKER)?;
    release(&app, "v2", &WORKER)?;
    let mut back = app.swap(&["rollback"])?.start()?;
    while !back.is_over() {
        ensure!(app.running("worker")?.len() <= 1, "two workers");
    }
    back.wait()?.expect(0)?;
    assert_eq!(app.running("worker")?, ["blue"]);
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}

/// A service that the compose file has no more is no reason to stay.
#[test]
fn a_worker_that_is_no_more_is_forgotten() -> Result<()> {
    let app = SlotApp::new()?;
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    app.add_worker()?;
    release(&app, "v1", &WORKER)?;
    release(&app, "v2", &WORKER)?;
    fs::write(app.path("compose.yml"), compose)?;
    // compose does not stop what is not in its file.
    app.docker(&["rm", "-f", &app.container("green", "worker")?])?;
    release(&app, "v3", &[])?;
    app.swap(&["rollback", "--to", "v1"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 green");
    Ok(())
}
