//! What is on disk, what runs and what is served, when they do not agree.

use std::fs;

use anyhow::{Result, ensure};
use th_kit::{SlotApp, docker};

use crate::swap_canary::{app, run};
use crate::swap_doctor_good::findings;

#[test]
fn a_site_that_passes_to_no_lane() -> Result<()> {
    let app = SlotApp::released()?;
    let other = SlotApp::new()?;
    let config = fs::read_to_string(app.nginx().config())?;
    // Another app, which answers well and knows of no slot.
    other.sicken("v1", "no_slot=1")?;
    other.swap(&["to", "--tag", "v1"])?.run()?;
    let pass = format!("http://{}_test_api", app.name());
    let elsewhere = format!("http://{}", other.nginx().address());
    fs::write(app.nginx().config(), config.replace(&pass, &elsewhere))?;
    app.nginx().reload()?;
    app.write_config(&format!(
        "nginx = {{ front = \"http://{}\", config = \"{}\" }}",
        app.nginx().address(),
        app.nginx().config().display()
    ))?;
    let found = findings(&app)?;
    ensure!(
        found.contains(&"problem not_passed".to_owned()),
        "{found:?}"
    );
    let knows = || -> Result<bool> {
        let status = app.swap(&["status"])?.run()?;
        Ok(status.message().contains("it is not known what it serves"))
    };
    crate::backup_failures::wait_for(knows)
}

/// Images may be named otherwise than the release: what counts is that they are those that were released.
#[test]
fn images_are_known_by_their_ids() -> Result<()> {
    let app = SlotApp::new()?;
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    fs::write(
        app.path("compose.yml"),
        compose.replace(
            "${TH_TAG:?}\n    environment",
            "${TH_TAG:?}-slim\n    environment",
        ),
    )?;
    app.tag("v1-slim")?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let status = app.swap(&["status"])?.run()?.expect(0)?;
    assert_eq!(status.data()["slots"][0]["tag"], "v1-slim");
    Ok(())
}

#[test]
fn a_canary_that_is_paused() -> Result<()> {
    let app = app()?;
    run(&app, "10,50", "1s", &[])?.expect(4)?;
    let history = app.swap(&["history"])?.run()?.expect(0)?;
    assert_eq!(history.data()["rollback_to"], "v1", "{}", history.record);
    let status = app.swap(&["status"])?.run()?.expect(0)?;
    assert_eq!(status.data()["pending"]["phase"], "paused");
    let resume = app.swap(&["resume"])?.run()?.expect(0)?;
    ensure!(
        resume.record["warnings"]
            .to_string()
            .contains("a canary is paused"),
        "{}",
        resume.record
    );
    docker(&["kill", &app.container("green", "api")?])?;
    app.nginx().halt()?;
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    let problems = status.data()["problems"].to_string();
    for problem in [
        "green has the traffic, and does not run",
        "nothing answers on",
    ] {
        ensure!(problems.contains(problem), "{problems}");
    }
    app.nginx().resume()?;
    app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}
