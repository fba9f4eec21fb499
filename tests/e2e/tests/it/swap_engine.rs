//! The Docker engine itself is restarted, or gone, in the middle of a release.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use th_kit::{Engine, Load, Long, Running, SlotApp, Stream, Traffic};

use crate::backup_failures::wait_for;

/// How long a restart takes at least: more than here, where the engine has nothing to do.
const AWAY: Duration = Duration::from_secs(1);

/// A moment of a release in which the engine goes away.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    /// compose is about to start the new slot.
    Starting,
    /// The new slot runs, and is probed.
    Probing,
    /// The old slot's last connection is waited for.
    Draining,
    /// The old slot is warm.
    Holding,
}

const MOMENTS: [Moment; 4] = [
    Moment::Starting,
    Moment::Probing,
    Moment::Draining,
    Moment::Holding,
];

/// Returns a tag that is not live.
fn next(live: &str) -> &'static str {
    if live == "v2" { "v3" } else { "v2" }
}

/// Releases `tag`, which takes a second to come up, and returns at a moment of it.
fn release(app: &SlotApp, tag: &str, moment: Moment) -> Result<Running> {
    app.sicken(tag, "boot=1")?;
    let hold = if moment == Moment::Holding {
        "3s"
    } else {
        "0s"
    };
    let running = app.swap(&["to", "--tag", tag, "--hold", hold])?.start()?;
    let is_in = |phase: &str| {
        let pending = fs::read_to_string(app.path("state/swap.json"));
        pending.is_ok_and(|text| text.contains(&format!("\"{phase}\"")))
    };
    wait_for(|| {
        Ok(match moment {
            Moment::Starting => is_in("starting"),
            Moment::Probing => app.running("api")?.len() == 2,
            Moment::Draining => is_in("draining"),
            Moment::Holding => is_in("holding"),
        })
    })?;
    Ok(running)
}

fn restart(engine: &mut Engine) -> Result<()> {
    engine.halt()?;
    thread::sleep(AWAY);
    engine.start()
}

/// Checks that nothing is left to do, and that one slot runs, has the traffic, and is `tag`.
fn is_over(app: &SlotApp, tag: &str) -> Result<()> {
    app.swap(&["resume"])?.run()?.expect(0)?;
    ensure!(!app.path("state/swap.json").exists(), "it is not over");
    // An engine that is just back has only begun to start what it stopped.
    wait_for(|| Ok(app.swap(&["status"])?.run()?.code == 0))?;
    assert_eq!(app.swap(&["status"])?.run()?.data()["tag"], tag);
    let live = app.lanes()?;
    assert_eq!(app.answer()?, format!("{tag} {}", live.join("+")));
    assert_eq!(app.running("api")?, live);
    Ok(())
}

fn nothing_was_lost(load: Load) -> Result<()> {
    let counted = load.finish();
    let (requests, failures) = (counted.requests, counted.failures);
    ensure!(counted.failed == 0, "{failures:?} of {requests} requests");
    ensure!(requests > 20, "only {requests} requests");
    Ok(())
}

#[test]
fn a_restart_that_containers_outlive_costs_nothing() -> Result<()> {
    let mut engine = Engine::live_restoring()?;
    let app = SlotApp::on(&engine)?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let front = app.nginx().address();
    let (mut tag, mut warnings) = ("v1", String::new());
    for moment in MOMENTS {
        tag = next(tag);
        let load = Traffic::of_witness(front.clone()).start();
        let old = app.lanes()?.join("+");
        let time = Duration::from_secs(5);
        let last = Stream::start(Long::Download, &front, "/download?seconds=5", "", time);
        let running = release(&app, tag, moment)?;
        restart(&mut engine)?;
        let ended = running.wait()?.expect(0)?;
        assert_eq!(ended.data()["receipt"]["failed"], 0, "{moment:?}");
        warnings += &ended.record["warnings"].to_string();
        // What was open on the slot that lost the traffic came to its own end.
        assert_eq!(last.finish_in_time()?, old, "{moment:?}");
        is_over(&app, tag)?;
        nothing_was_lost(load)?;
    }
    ensure!(warnings.contains("docker engine went away"), "{warnings}");
    Ok(())
}

#[test]
fn an_engine_that_stays_away_leaves_the_old_slot_its_traffic() -> Result<()> {
    let mut engine = Engine::live_restoring()?;
    let app = SlotApp::on(&engine)?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let load = Traffic::of_witness(app.nginx().address()).start();

    let running = release(&app, "v2", Moment::Probing)?;
    engine.kill();
    let ended = running.wait()?.expect(21)?;
    for words in ["no docker engine answers", "th-swap resume"] {
        ensure!(ended.message().contains(words), "{}", ended.record);
    }
    assert_eq!(ended.data()["live"], "blue");
    assert_eq!(app.answer()?, "v1 blue");
    app.swap(&["status"])?.run()?.expect(12)?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(12)?;

    engine.start()?;
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    let message = status.message();
    ensure!(message.contains("th-swap resume"), "{message}");
    is_over(&app, "v1")?;

    // The next release clears up as well, also after a run that could say nothing more.
    let running = release(&app, "v2", Moment::Starting)?;
    engine.kill();
    ensure!(running.kill(), "it had ended");
    engine.start()?;
    let next = app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
    let warnings = next.record["warnings"].to_string();
    ensure!(warnings.contains("took back"), "{warnings}");
    is_over(&app, "v3")?;
    nothing_was_lost(load)
}

/// What users meet meanwhile is Docker's doing, and not counted.
#[test]
fn a_restart_that_takes_the_containers_along_ends_on_one_good_slot() -> Result<()> {
    let mut engine = Engine::plain()?;
    let app = SlotApp::on(&engine)?;
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    let always = "    restart: unless-stopped\n    mem_limit";
    fs::write(
        app.path("compose.yml"),
        compose.replace("    mem_limit", always),
    )?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let traffic = Traffic::of_witness(app.nginx().address());
    let mut live = "v1";
    for moment in MOMENTS {
        let (tag, load) = (next(live), traffic.start());
        let running = release(&app, tag, moment)?;
        restart(&mut engine)?;
        let ended = running.wait()?;
        match (ended.code, moment) {
            (0, _) => live = tag,
            // What the tool's own clients lost meanwhile counts like any other request.
            (20, Moment::Draining | Moment::Holding) => {}
            (code, _) => bail!("{moment:?}: exit {code}: {}", ended.record),
        }
        drop(load);
        is_over(&app, live)?;
        let load = traffic.start();
        thread::sleep(Duration::from_millis(500));
        nothing_was_lost(load)?;
    }
    Ok(())
}
