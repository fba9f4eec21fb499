//! While the old slot is warm: the way back, a release that falls ill, and what comes in between.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{Long, Running, SlotApp, Stream, Traffic, docker};

use crate::backup_failures::wait_for;

/// Releases `v2` over `v1` and returns while the old slot is warm.
pub(crate) fn holding(app: &SlotApp) -> Result<Running> {
    let running = app
        .swap(&["to", "--tag", "v2", "--hold", "120s"])?
        .start()?;
    wait_for(|| {
        let phase = app.swap(&["status"])?.run()?;
        Ok(phase.data()["pending"]["phase"] == "holding")
    })?;
    Ok(running)
}

#[test]
fn the_way_back_is_one_repoint() -> Result<()> {
    let app = SlotApp::released()?;
    let running = holding(&app)?;
    let load = Traffic::of_witness(app.nginx().address()).start();
    let websocket = Stream::start(
        Long::Websocket,
        &app.nginx().address(),
        "/ws",
        "",
        Duration::from_secs(4),
    );
    thread::sleep(Duration::from_millis(500));
    load.mark();
    let start = Instant::now();
    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    let took = start.elapsed();
    let first = load.first("blue").map(|at| at.duration_since(start));
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(back.data()["booted"], false);
    assert_eq!(back.data()["receipt"]["failed"], 0);
    // Generous: other tests run beside. tests/bench/soak.sh measures it.
    ensure!(took < Duration::from_secs(2), "rollback took {took:?}");
    ensure!(
        first < Some(Duration::from_secs(1)),
        "the first answer came after {first:?}"
    );

    let ended = running.wait()?.expect(20)?;
    let by = back.record["run"].as_str().unwrap_or("?");
    ensure!(ended.message().contains(by), "{}", ended.record);
    assert_eq!(ended.data()["live"], "blue");
    let counted = load.finish();
    assert_eq!(counted.failed, 0, "{:?}", counted.failures);
    // What was open on the slot that lost the traffic came to its own end.
    assert_eq!(websocket.finish_in_time()?, "green");
    assert_eq!(app.running("api")?, ["blue"]);
    let history = app.swap(&["history"])?.run()?.expect(0)?;
    assert_eq!(history.data()["live"], "v1");
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn a_release_that_falls_ill_is_taken_back() -> Result<()> {
    for (how, words) in [
        ("health=500", "probes in a row failed"),
        ("die", "api of green died"),
    ] {
        let app = SlotApp::released()?;
        let running = holding(&app)?;
        match how {
            "die" => docker(&["kill", &app.container("green", "api")?]).map(drop)?,
            how => app.sicken("v2", how)?,
        }
        let ended = running.wait()?.expect(20)?;
        ensure!(ended.message().contains(words), "{}", ended.record);
        assert!(ended.data()["watch"]["ended_by"].is_string());
        assert_eq!(app.answer()?, "v1 blue");
        assert_eq!(app.running("api")?, ["blue"]);
        app.swap(&["status"])?.run()?.expect(0)?;
    }
    Ok(())
}

#[test]
fn the_access_log_tells_of_errors_that_probes_do_not_meet() -> Result<()> {
    let app = SlotApp::released()?;
    let front = app.nginx().address();
    app.write_config(&format!(
        "nginx = {{ front = \"http://{front}\", access_log = \"nginx/access.log\" }}"
    ))?;
    let load = Traffic::of_witness(app.nginx().address()).start();
    let running = holding(&app)?;
    app.sicken("v2", "work=500")?;
    let ended = running.wait()?.expect(20)?;
    ensure!(
        ended.message().contains("requests to the new slot failed"),
        "{}",
        ended.record
    );
    ensure!(ended.data()["watch"]["failed"] == 0, "{}", ended.record);
    ensure!(
        ended.data()["watch"]["errors"].as_u64() > Some(0),
        "{}",
        ended.record
    );
    assert_eq!(app.answer()?, "v1 blue");
    drop(load);
    Ok(())
}

#[test]
fn a_next_release_ends_the_hold() -> Result<()> {
    let app = SlotApp::released()?;
    let running = holding(&app)?;
    app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v3 blue");
    let ended = running.wait()?.expect(0)?;
    ensure!(
        ended.record["warnings"]
            .to_string()
            .contains("another swap ended the hold"),
        "{}",
        ended.record
    );
    assert_eq!(app.running("api")?, ["blue"]);
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn an_interrupted_hold_is_resumed_or_taken_back() -> Result<()> {
    let app = SlotApp::released()?;
    let running = holding(&app)?;
    running.signal("INT")?;
    let ended = running.wait()?.expect(130)?;
    assert_eq!(ended.data()["live"], "green");
    assert_eq!(app.running("api")?, ["blue", "green"]);
    // Nobody watches: the rollback stops the slot itself.
    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(
        (&back.data()["booted"], &back.data()["stopped"]),
        (&false.into(), &true.into())
    );
    assert_eq!(
        (app.answer()?, app.running("api")?),
        ("v1 blue".into(), vec!["blue".into()])
    );
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn the_old_slot_refuses_to_stop() -> Result<()> {
    let app = SlotApp::released()?;
    app.sicken("v1", "ignore_term=1")?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    ensure!(
        ended.record["warnings"].to_string().contains("was killed"),
        "{}",
        ended.record
    );
    assert_eq!(
        (app.answer()?, app.running("api")?),
        ("v2 green".into(), vec!["green".into()])
    );
    Ok(())
}

#[test]
fn two_at_once() -> Result<()> {
    let app = SlotApp::released()?;
    app.sicken("v2", "boot=3")?;
    let running = app.swap(&["to", "--tag", "v2"])?.start()?;
    wait_for(|| Ok(app.path("state/swap.json").exists()))?;
    let ended = app.swap(&["to", "--tag", "v3"])?.run()?.expect(11)?;
    ensure!(
        ended
            .message()
            .contains(&format!("th-swap (pid {}", running.pid())),
        "{}",
        ended.record
    );
    running.wait()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}
