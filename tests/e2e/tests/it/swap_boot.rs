//! New slots that are no good: the traffic never moves, and the record says why.

use anyhow::{Result, ensure};
use th_kit::{Ended, SlotApp};

/// Releases `v2`, which must fail with the traffic on `v1` and nothing left behind.
fn refused(app: &SlotApp, code: i32) -> Result<Ended> {
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(code)?;
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(app.lanes()?, ["blue"]);
    assert_eq!(app.running("api")?, ["blue"]);
    ensure!(
        !app.path("state/swap.json").exists(),
        "the swap is not over"
    );
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(ended)
}

#[test]
fn never_healthy() -> Result<()> {
    let app = SlotApp::released()?;
    app.write_config("ready = \"3s\"")?;
    app.sicken("v2", "health=503")?;
    let ended = refused(&app, 20)?;
    ensure!(
        ended.message().contains("answers /health with 503"),
        "{}",
        ended.record
    );
    assert_eq!(ended.data()["live"], "blue");
    assert_eq!(ended.data()["receipt"], serde_json::Value::Null);

    // Once it is well, the same release goes through.
    app.sicken("v2", "")?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}

#[test]
fn dead_at_once_and_out_of_memory() -> Result<()> {
    let app = SlotApp::released()?;
    app.sicken("v2", "exit=7")?;
    let ended = refused(&app, 20)?;
    ensure!(
        ended.message().contains("exit status 7"),
        "{}",
        ended.record
    );

    app.sicken("v2", "eat=1")?;
    let ended = refused(&app, 20)?;
    ensure!(
        ended.message().contains("ran out of memory"),
        "{}",
        ended.record
    );
    Ok(())
}

#[test]
fn another_tag_than_was_asked_for() -> Result<()> {
    let app = SlotApp::released()?;
    app.sicken("v2", "tag=v1")?;
    let ended = refused(&app, 20)?;
    ensure!(
        ended
            .message()
            .contains("says that it is 'v1' and not 'v2'"),
        "{}",
        ended.record
    );
    Ok(())
}

#[test]
fn what_is_wrong_before_the_start_changes_nothing() -> Result<()> {
    let app = SlotApp::released()?;
    let ended = app.swap(&["to", "--tag", "v9"])?.run()?.expect(10)?;
    ensure!(
        ended.message().contains(":v9' is not there"),
        "{}",
        ended.record
    );

    let compose = std::fs::read_to_string(app.path("compose.yml"))?;
    std::fs::write(
        app.path("compose.yml"),
        compose.replace("volumes:", "volums:"),
    )?;
    let ended = refused(&app, 2)?;
    ensure!(
        ended.message().contains("is refused by compose"),
        "{}",
        ended.record
    );
    ensure!(ended.message().contains("volums"), "{}", ended.record);
    std::fs::write(app.path("compose.yml"), &compose)?;

    let ended = app
        .swap(&["to", "--tag", "v2", "--exclusive", "worker"])?
        .run()?
        .expect(2)?;
    ensure!(
        ended.message().contains("no service 'worker'"),
        "{}",
        ended.record
    );
    assert_eq!(ended.record["changed"], false);
    Ok(())
}

#[test]
fn a_path_that_no_socket_can_have() -> Result<()> {
    let app = SlotApp::new()?;
    let long = "deep".repeat(25);
    std::fs::create_dir(app.path(&long))?;
    std::fs::rename(app.path("compose.yml"), app.path(&long).join("compose.yml"))?;
    std::fs::write(app.path(&long).join(".env"), "")?;
    let toml = std::fs::read_to_string(app.path("th.toml"))?;
    std::fs::write(
        app.path("th.toml"),
        toml.replace("root = \".\"", &format!("root = \"{long}\"")),
    )?;
    app.swap(&["init"])?.run()?.expect(0)?;
    let ended = app.swap(&["to", "--tag", "v1"])?.run()?.expect(13)?;
    ensure!(
        ended.message().contains("a socket's path at most 107"),
        "{}",
        ended.record
    );
    Ok(())
}

#[test]
fn a_signal_takes_it_back() -> Result<()> {
    let app = SlotApp::released()?;
    app.sicken("v2", "boot=30")?;
    let running = app
        .swap(&["to", "--tag", "v2", "--ready", "60s"])?
        .start()?;
    crate::backup_failures::wait_for(|| Ok(app.running("api")?.len() == 2))?;
    running.signal("TERM")?;
    running.wait()?.expect(143)?;
    assert_eq!(app.running("api")?, ["blue"]);
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}
