//! A swap that is killed at any moment is finished or taken back, and users notice nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{SlotApp, Traffic, docker};

use crate::backup_failures::wait_for;
use crate::swap_hold::holding;

/// Half of the moments are spread over the whole run, the others over its switch.
const MOMENTS: u32 = 12;

/// Starts th-swap, and kills it as it enters `phase`.
pub(crate) fn kill_in(app: &SlotApp, args: &[&str], phase: &str) -> Result<()> {
    let running = app.swap(args)?.start()?;
    let phase = format!("\"{phase}\"");
    wait_for(|| {
        let pending = fs::read_to_string(app.path("state/swap.json"));
        Ok(pending.is_ok_and(|text| text.contains(&phase)))
    })?;
    ensure!(running.kill(), "it had ended");
    Ok(())
}

#[test]
fn kill_9_at_any_moment() -> Result<()> {
    let app = SlotApp::released()?;
    let start = Instant::now();
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    let whole = start.elapsed();
    let load = Traffic::of_witness(app.nginx().address()).start();
    let (mut killed, mut ends) = (0, Vec::new());
    for moment in 0..MOMENTS {
        let tag = if moment % 2 == 0 { "v1" } else { "v3" };
        let running = app.swap(&["to", "--tag", tag])?.start()?;
        if moment < MOMENTS / 2 {
            thread::sleep(whole.mul_f64(f64::from(2 * moment + 1) / f64::from(MOMENTS)));
        } else {
            wait_for(|| {
                Ok(fs::read_to_string(app.path("state/swap.json"))
                    .is_ok_and(|text| text.contains("\"switching\"")))
            })?;
            thread::sleep(Duration::from_millis(u64::from(moment - MOMENTS / 2) * 150));
        }
        killed += u32::from(running.kill());
        let phase = fs::read_to_string(app.path("state/swap.json")).unwrap_or_default();
        app.swap(&["resume"])?.run()?.expect(0)?;
        let status = app.swap(&["status"])?.run()?.expect(0)?;
        ensure!(
            !app.path("state/swap.json").exists(),
            "moment {moment}: not over"
        );
        ensure!(
            app.running("api")?.len() == 1,
            "moment {moment}: both slots run: {phase}"
        );
        let live = format!(
            "{} {}",
            status.data()["tag"].as_str().unwrap_or("?"),
            app.lanes()?.join("+")
        );
        ensure!(
            app.answer()? == live,
            "moment {moment}: {live} is not {}",
            app.answer()?
        );
        ends.push((
            phase
                .split("\"phase\":")
                .nth(1)
                .map(|rest| rest[..12].to_owned()),
            live,
        ));
    }
    let counted = load.finish();
    ensure!(
        counted.failed == 0,
        "{:?} of {} requests: {ends:?}",
        counted.failures,
        counted.requests
    );
    ensure!(
        killed >= MOMENTS / 2,
        "only {killed} of {MOMENTS} runs were killed"
    );
    Ok(())
}

#[test]
fn lanes_half_repointed_by_a_kill() -> Result<()> {
    let app = SlotApp::released()?;
    let running = holding(&app)?;
    ensure!(running.kill(), "it had ended");
    // As if the kill had come in the middle of the switch, before any receipt.
    let pending = fs::read_to_string(app.path("state/swap.json"))?;
    fs::write(
        app.path("state/swap.json"),
        pending.replace("\"holding\"", "\"switching\""),
    )?;
    for number in 0..7 {
        let lane = app.path("run/lanes").join(format!("{number:02}"));
        fs::remove_file(&lane)?;
        symlink("../blue", &lane)?;
    }
    symlink("../green", app.path("run/lanes/.07.next"))?;
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    ensure!(
        status.message().contains("died while it was switching"),
        "{}",
        status.record
    );
    ensure!(
        status.message().contains("th-swap resume"),
        "{}",
        status.record
    );

    let resumed = app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(resumed.data()["live"], "blue");
    assert_eq!(
        (app.lanes()?, app.running("api")?),
        (vec!["blue".into()], vec!["blue".into()])
    );
    assert_eq!(app.swap(&["history"])?.run()?.data()["live"], "v1");

    // Without a journal, what was released last says where they lead.
    fs::remove_file(app.path("run/lanes/03"))?;
    symlink("../green", app.path("run/lanes/03"))?;
    app.swap(&["status"])?.run()?.expect(4)?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(app.lanes()?, ["blue"]);
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

/// The first release has no slot to go back to, so it is finished, with all that belongs to it.
#[test]
fn a_worker_runs_once_whatever_died() -> Result<()> {
    let app = SlotApp::new()?;
    app.add_worker()?;
    app.write_config("exclusive = [\"worker\"]")?;
    kill_in(&app, &["to", "--tag", "v1"], "switching")?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(app.running("worker")?, ["blue"]);

    // The old slot is ill, and the new one has no receipt yet.
    app.sicken("v1", "health=500")?;
    kill_in(&app, &["to", "--tag", "v2"], "switching")?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(app.running("worker")?, ["green"]);
    Ok(())
}

#[test]
fn a_hold_whose_process_died_goes_on() -> Result<()> {
    let app = SlotApp::released()?;
    ensure!(holding(&app)?.kill(), "it had ended");
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    ensure!(
        status.message().contains("died while it was holding"),
        "{}",
        status.record
    );
    let mut resumed = app.swap(&["resume"])?.start()?;
    wait_for(|| Ok(app.swap(&["status"])?.run()?.code == 0))?;
    ensure!(!resumed.is_over(), "the hold is over");
    app.sicken("v2", "health=500")?;
    resumed.wait()?.expect(20)?;
    assert_eq!(
        (app.answer()?, app.running("api")?),
        ("v1 blue".into(), vec!["blue".into()])
    );
    Ok(())
}

/// What a restart of the engine, or of the machine, does to the containers.
#[test]
fn all_containers_die_and_come_back_in_the_hold() -> Result<()> {
    let app = SlotApp::released()?;
    let running = holding(&app)?;
    // The one that has the traffic comes back first.
    let both = [
        app.container("green", "api")?,
        app.container("blue", "api")?,
    ];
    for id in &both {
        docker(&["kill", id])?;
    }
    for id in &both {
        docker(&["start", id])?;
    }
    // Neither is the better one while both are down, so the traffic stays.
    wait_for(|| Ok(app.swap(&["status"])?.run()?.code == 0))?;
    thread::sleep(Duration::from_secs(3));
    assert_eq!(app.answer()?, "v2 green");
    app.swap(&["rollback"])?.run()?.expect(0)?;
    running.wait()?.expect(20)?;
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(app.running("api")?, ["blue"]);
    Ok(())
}
