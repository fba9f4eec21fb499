//! A service that must not run twice.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::SlotApp;

use crate::backup_failures::wait_for;

/// Releases `v1` with a worker, which the api needs: compose would start it along with that.
fn released() -> Result<SlotApp> {
    let app = SlotApp::new()?;
    app.add_worker()?;
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    let needs = "    depends_on: [worker]\n    mem_limit";
    fs::write(
        app.path("compose.yml"),
        compose.replace("    mem_limit", needs),
    )?;
    app.write_config("exclusive = [\"worker\"]")?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(app.running("worker")?, ["blue"]);
    Ok(app)
}

#[test]
fn a_worker_never_runs_twice() -> Result<()> {
    let app = released()?;
    let running = app.swap(&["to", "--tag", "v2", "--hold", "60s"])?.start()?;
    let start = Instant::now();
    while app.lanes()? != ["green"] && start.elapsed() < Duration::from_secs(30) {
        ensure!(app.running("worker")?.len() <= 1, "two workers");
    }
    wait_for(|| Ok(fs::read_to_string(app.path("state/swap.json"))?.contains("\"holding\"")))?;
    assert_eq!(app.running("worker")?, ["green"]);
    app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(app.running("worker")?, ["blue"]);
    running.wait()?.expect(20)?;
    assert_eq!(app.running("worker")?, ["blue"]);
    Ok(())
}

/// At once, which even a release without a hold sees, or while the old one could still be started.
#[test]
fn a_worker_that_dies_is_taken_back() -> Result<()> {
    for (how, hold) in [("exit=7", "0s"), ("die=6", "60s")] {
        let app = released()?;
        app.sicken("v2-worker", how)?;
        let release = app.swap(&["to", "--tag", "v2", "--hold", hold])?;
        let ended = release.run()?.expect(20)?;
        ensure!(
            ended.message().contains("worker of green died"),
            "{}",
            ended.record
        );
        assert_eq!(ended.data()["watch"].is_object(), hold != "0s");
        assert_eq!(app.answer()?, "v1 blue");
        assert_eq!(app.running("worker")?, ["blue"]);
        assert_eq!(app.running("api")?, ["blue"]);
    }
    Ok(())
}
