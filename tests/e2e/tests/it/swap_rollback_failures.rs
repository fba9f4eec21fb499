//! A way back that cannot be ended: users are back at once, and the record says what is left to do.

use std::fs;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{Ended, Engine, SlotApp};

use crate::backup_failures::wait_for;
use crate::swap_death::kill_in;
use crate::swap_hold::holding;
use crate::swap_space::State;

const RELEASE: [&str; 5] = ["to", "--tag", "v2", "--hold", "120s"];

/// The traffic is back, and the rest is for `th-swap resume`.
fn is_unfinished(app: &SlotApp, ended: &Ended, why: &str) -> Result<()> {
    for words in ["blue has the traffic", why, "th-swap resume"] {
        ensure!(ended.message().contains(words), "{}", ended.record);
    }
    let (data, record) = (ended.data(), &ended.record);
    assert_eq!(
        (&data["live"], &data["tag"]),
        (&"blue".into(), &"v1".into())
    );
    assert_eq!(record["changed"], true);
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(app.lanes()?, ["blue"]);
    Ok(())
}

fn is_over(app: &SlotApp) -> Result<()> {
    let status = app.swap(&["status"])?.run()?.expect(0)?;
    assert_eq!(status.data()["tag"], "v1");
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(app.running("api")?, ["blue"]);
    Ok(())
}

#[test]
fn a_full_disk_with_nobody_watching() -> Result<()> {
    let app = SlotApp::released()?;
    let state = State::mount(&app)?;
    kill_in(&app, &RELEASE, "holding")?;
    state.fill()?;
    let ended = app.swap(&["rollback"])?.run()?.expect(3)?;
    is_unfinished(&app, &ended, "No space left")?;
    // The journal still says that the new slot is to be kept: the lanes know better.
    let ended = app.swap(&["resume"])?.run()?.expect(3)?;
    ensure!(ended.data()["live"] == "blue", "{}", ended.record);
    fs::remove_file(app.path("state/full"))?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    is_over(&app)
}

/// Who watches sees the lanes, not the journal, and stops the right slot.
#[test]
fn a_full_disk_with_a_watcher() -> Result<()> {
    let app = SlotApp::released()?;
    let state = State::mount(&app)?;
    let running = holding(&app)?;
    state.fill()?;
    let ended = app.swap(&["rollback"])?.run()?.expect(3)?;
    is_unfinished(&app, &ended, "No space left")?;
    running.wait()?.expect(21)?;
    assert_eq!(app.answer()?, "v1 blue");
    fs::remove_file(app.path("state/full"))?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    is_over(&app)
}

#[test]
fn an_engine_that_is_away() -> Result<()> {
    let mut engine = Engine::live_restoring()?;
    let app = SlotApp::on(&engine)?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    kill_in(&app, &RELEASE, "holding")?;
    engine.kill();

    // What needs no engine is told all the same.
    let status = app.swap(&["status"])?.run()?.expect(12)?;
    for words in ["no docker engine answers", "died while it was holding"] {
        ensure!(status.message().contains(words), "{}", status.record);
    }
    let data = status.data();
    assert_eq!(
        (&data["tag"], &data["slot"]),
        (&"v2".into(), &"green".into())
    );
    assert_eq!(data["served"][0], "green");
    let green = &data["slots"][1];
    assert_eq!(
        (&green["lanes"], &green["healthy"]),
        (&20.into(), &true.into())
    );
    ensure!(green["running"].is_null() && green["connections"].is_null());

    let start = Instant::now();
    let ended = app.swap(&["rollback"])?.run()?.expect(3)?;
    is_unfinished(&app, &ended, "no docker engine answers")?;
    ensure!(start.elapsed() < Duration::from_secs(10));
    let ended = app.swap(&["resume"])?.run()?.expect(12)?;
    assert_eq!(ended.record["changed"], false);

    engine.start()?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    is_over(&app)
}

/// systemd takes connections for an engine that is down. Users do not wait for its database.
#[test]
fn an_engine_that_does_not_answer() -> Result<()> {
    let app = SlotApp::released()?;
    kill_in(&app, &RELEASE, "holding")?;
    app.write_config("[env.test.database]\ncontainer = \"none\"\nname = \"app\"")?;
    let socket = app.path("docker.sock");
    let _engine = UnixListener::bind(&socket)?;
    let host = format!("unix://{}", socket.display());
    let start = Instant::now();
    let running = app.swap(&["rollback"])?.env("DOCKER_HOST", &host).start()?;
    wait_for(|| Ok(app.lanes()? == ["blue"]))?;
    ensure!(start.elapsed() < Duration::from_secs(10));
    let ended = running.wait()?.expect(3)?;
    let warnings = ended.record["warnings"].to_string();
    ensure!(
        warnings.contains("it is not known what the database's schema is"),
        "{warnings}"
    );
    is_unfinished(&app, &ended, "no docker engine answers")?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    is_over(&app)
}
