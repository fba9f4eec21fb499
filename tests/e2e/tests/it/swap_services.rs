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
