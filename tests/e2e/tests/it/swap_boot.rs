//! New slots that are no good: the traffic never moves, and the record says why.

use std::fs;

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

/// Healthy on its own socket, but not to users: there is no slot to go back to.
#[test]
fn a_first_release_that_fails_its_users_leaves_the_lanes_to_nobody() -> Result<()> {
    let app = SlotApp::new()?;
    app.write_config("probe_post = \"/work\"")?;
    app.sicken("v1", "work=500")?;
    let ended = app.swap(&["to", "--tag", "v1"])?.run()?.expect(20)?;
    ensure!(ended.message().contains("status 500"), "{}", ended.record);
    assert_eq!(ended.data()["live"], serde_json::Value::Null);
    assert_eq!(ended.data()["stopped"], true);
    assert!(app.lanes()?.is_empty() && app.running("api")?.is_empty());
    app.swap(&["status"])?.run()?.expect(0)?;

    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(ended.data()["previous_tag"], serde_json::Value::Null);
    assert_eq!(app.answer()?, "v2 blue");
    let history = app.swap(&["history"])?.run()?.expect(0)?;
    ensure!(!history.stdout.contains("\"v1\""), "{}", history.stdout);
    app.swap(&["rollback"])?.run()?.expect(10)?;
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

    let compose = fs::read_to_string(app.path("compose.yml"))?;
    fs::write(
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
    fs::write(app.path("compose.yml"), &compose)?;

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
    fs::create_dir(app.path(&long))?;
    fs::rename(app.path("compose.yml"), app.path(&long).join("compose.yml"))?;
    fs::write(app.path(&long).join(".env"), "")?;
    let toml = fs::read_to_string(app.path("th.toml"))?;
    fs::write(
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

/// compose waits for what the new slot needs, and would for ever.
#[test]
fn a_signal_ends_compose_too() -> Result<()> {
    let app = SlotApp::released()?;
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    let needs = "    depends_on: {cache: {condition: service_healthy}}\n    mem_limit";
    let cache = format!(
        "  cache:\n    image: {}:${{TH_TAG:?}}\n    network_mode: none\n    labels: {{th.app: {}}}\n\
         \x20   command: [sleep, '600']\n    init: true\n\
         \x20   healthcheck: {{test: [CMD, 'false'], interval: 1s, retries: 600}}\n",
        app.name(),
        app.name()
    );
    fs::write(
        app.path("compose.yml"),
        compose.replace("    mem_limit", needs) + &cache,
    )?;
    let running = app.swap(&["to", "--tag", "v2"])?.start()?;
    crate::backup_failures::wait_for(|| Ok(app.running("cache")? == ["green"]))?;
    running.signal("TERM")?;
    running.wait()?.expect(143)?;
    assert_eq!(app.running("api")?, ["blue"]);
    assert!(app.running("cache")?.is_empty());
    app.swap(&["status"])?.run()?.expect(0)?;
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
