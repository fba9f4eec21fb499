//! A release whose second service is no good, though the first one is.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use th_kit::SlotApp;

use crate::swap_hold::holding;

const BOTH: &str = ", probes = [\"/health\", \"/web/page\"]";

fn released(probes: &str) -> Result<SlotApp> {
    let app = SlotApp::new()?;
    app.add_web(probes)?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    Ok(app)
}

fn check_back(app: &SlotApp) -> Result<()> {
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(app.running("api")?, ["blue"]);
    assert_eq!(app.running("web")?, ["blue"]);
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

/// Its own probe answers well, and what users ask for does not.
#[test]
fn the_receipt_asks_each_of_the_paths() -> Result<()> {
    let app = released(BOTH)?;
    app.sicken("v2-web", "work=500")?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(20)?;
    ensure!(
        ended.message().contains("GET /web/page over a"),
        "{}",
        ended.record
    );
    check_back(&app)?;
    // Answers that name no slot are not taken for those of another one.
    app.sicken("v2-web", "no_slot=1")?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(ended.data()["receipt"]["failed"], 0, "{}", ended.record);
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}

/// The tool may connect to it, and nginx's user may not.
#[test]
fn the_watch_asks_each_of_the_paths() -> Result<()> {
    let app = released(BOTH)?;
    let mut running = holding(&app)?;
    thread::sleep(Duration::from_secs(3));
    ensure!(!running.is_over(), "a good release was taken back");
    let socket = app.path("run/green/web.sock");
    fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    let ended = running.wait()?.expect(20)?;
    ensure!(
        ended.message().contains("GET /web/page: status 502"),
        "{}",
        ended.record
    );
    check_back(&app)
}

/// Nobody has said which of its paths nginx knows.
#[test]
fn the_watch_looks_at_the_sockets_of_all_services() -> Result<()> {
    let app = released("")?;
    let running = holding(&app)?;
    app.sicken("v2-web", "health=500")?;
    let ended = running.wait()?.expect(20)?;
    ensure!(
        ended.message().contains("web answers /health with 500"),
        "{}",
        ended.record
    );
    check_back(&app)
}

/// No users ask for it, and without it work is left undone.
#[test]
fn a_service_without_traffic_is_looked_after() -> Result<()> {
    for (how, hold) in [("exit=7", "0s"), ("die=6", "60s")] {
        let app = SlotApp::new()?;
        app.add_worker()?;
        app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
        app.sicken("v2-worker", how)?;
        let release = app.swap(&["to", "--tag", "v2", "--hold", hold])?;
        let ended = release.run()?.expect(20)?;
        ensure!(
            ended.message().contains("worker of green died"),
            "{}",
            ended.record
        );
        assert_eq!(app.answer()?, "v1 blue");
        assert_eq!(app.running("worker")?, ["blue"]);
        // What has done its work may end.
        app.sicken("v2-worker", "exit=0")?;
        app.swap(&["to", "--tag", "v2", "--hold", "3s"])?
            .run()?
            .expect(0)?;
        assert_eq!(app.answer()?, "v2 green");
    }
    Ok(())
}

#[test]
fn a_service_without_an_image_is_refused() -> Result<()> {
    let app = SlotApp::released()?;
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    let jobs = format!("{compose}  jobs:\n    build: .\n");
    fs::write(app.path("compose.yml"), jobs)?;
    let refused = app.swap(&["to", "--tag", "v2"])?.run()?.expect(2)?;
    ensure!(
        refused.message().contains("service 'jobs'"),
        "{}",
        refused.record
    );
    assert_eq!(refused.record["changed"], false);
    Ok(())
}
