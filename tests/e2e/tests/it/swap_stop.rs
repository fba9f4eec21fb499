//! An old slot that cannot be stopped: the release is good, and not finished.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, ensure};
use th_kit::{Ended, SlotApp, docker};

use crate::backup_failures::wait_for;

/// The new slot has the traffic, and `resume` has nothing left but to stop the old one.
fn unfinished(app: &SlotApp, ended: &Ended, why: &str) -> Result<()> {
    for words in [
        "blue has no traffic any more, but could not be stopped",
        why,
    ] {
        ensure!(ended.message().contains(words), "{}", ended.record);
    }
    let hint = ended.record["error"]["hint"].to_string();
    ensure!(hint.contains("th-swap resume goes on"), "{}", ended.record);
    assert_eq!(
        (&ended.data()["live"], &ended.data()["stopped"]),
        (&"green".into(), &false.into())
    );
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(app.running("api")?, ["blue", "green"]);
    Ok(())
}

fn finished(app: &SlotApp) -> Result<()> {
    app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(app.running("api")?, ["green"]);
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn compose_refuses_to_stop_it() -> Result<()> {
    let app = SlotApp::released()?;
    let good = fs::read_to_string(app.path("compose.yml"))?;
    let running = app.swap(&["to", "--tag", "v2", "--hold", "3s"])?.start()?;
    wait_for(|| {
        let pending = fs::read_to_string(app.path("state/swap.json"));
        Ok(pending.is_ok_and(|text| text.contains("\"holding\"")))
    })?;
    fs::write(app.path("compose.yml"), "nonsense: true\n")?;
    let ended = running.wait()?.expect(3)?;
    unfinished(&app, &ended, "nonsense")?;
    fs::write(app.path("compose.yml"), good)?;
    finished(&app)
}

#[test]
fn somebody_starts_it_again() -> Result<()> {
    let app = SlotApp::released()?;
    let old = app.container("blue", "api")?;
    let over = AtomicBool::new(false);
    let ended = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // It may be about to stop.
                let _ = docker(&["start", &old]);
            }
        });
        let release = app.swap(&["to", "--tag", "v2"]);
        let ended = release.and_then(|release| release.run());
        over.store(true, Ordering::Relaxed);
        ended
    })?;
    let ended = ended.expect(3)?;
    unfinished(&app, &ended, "runs on after it was stopped")?;
    finished(&app)
}

/// Compose stops the services of the file as it is now.
#[test]
fn a_service_that_the_file_has_no_more() -> Result<()> {
    let app = SlotApp::new()?;
    let without = fs::read_to_string(app.path("compose.yml"))?;
    app.add_worker()?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(app.running("worker")?, ["blue"]);
    fs::write(app.path("compose.yml"), without)?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(ended.data()["stopped"], true);
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(app.running("api")?, ["green"]);
    assert!(app.running("worker")?.is_empty());
    app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
    app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}
