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

/// What a release lacked that came before the service was, is in the compose file of its time.
#[test]
fn a_service_that_came_later_is_named() -> Result<()> {
    let app = SlotApp::released()?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    let mailer = format!(
        "services:\n  mailer:\n    image: mailer-{}:${{TH_TAG}}",
        app.name()
    );
    fs::write(
        app.path("compose.yml"),
        compose.replacen("services:", &mailer, 1),
    )?;
    let refused = app.swap(&["rollback"])?.run()?.expect(10)?;
    assert_eq!(refused.record["changed"], false);
    for words in ["mailer", "the compose file that it was released with"] {
        ensure!(refused.message().contains(words), "{}", refused.record);
    }
    fs::write(app.path("compose.yml"), compose)?;
    app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}
