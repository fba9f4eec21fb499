//! Whom the stop of a slot cuts off is counted, also on the way back.

use std::time::Duration;

use anyhow::{Result, ensure};
use th_kit::{Long, SlotApp, Stream};

use crate::swap_hold::holding;

fn websocket(app: &SlotApp) -> Stream {
    let (front, time) = (app.nginx().address(), Duration::from_secs(30));
    let stream = Stream::start(Long::Websocket, &front, "/ws", "", time);
    std::thread::sleep(Duration::from_millis(500));
    stream
}

#[test]
fn a_rollback_tells_whom_it_cut_off() -> Result<()> {
    let app = SlotApp::new()?;
    app.write_config("drain = \"2s\"")?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let running = holding(&app)?;
    running.signal("INT")?;
    running.wait()?.expect(130)?;
    let websocket = websocket(&app);
    // Nobody watches: the rollback stops the slot itself.
    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    ensure!(websocket.finish_in_time().is_err(), "it was not cut");
    let cut = back.data()["receipt"]["cut"].as_u64();
    ensure!(cut >= Some(1), "{}", back.record);
    let warnings = back.record["warnings"].to_string();
    ensure!(warnings.contains("on green are cut"), "{}", back.record);
    Ok(())
}

#[test]
fn a_release_that_is_taken_back_does_too() -> Result<()> {
    let app = SlotApp::new()?;
    app.write_config("drain = \"2s\"")?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let running = holding(&app)?;
    let websocket = websocket(&app);
    app.sicken("v2", "health=500")?;
    let ended = running.wait()?.expect(20)?;
    ensure!(websocket.finish_in_time().is_err(), "it was not cut");
    let cut = ended.data()["receipt"]["cut"].as_u64();
    ensure!(cut >= Some(1), "{}", ended.record);
    let warnings = ended.record["warnings"].to_string();
    ensure!(warnings.contains("on green are cut"), "{}", ended.record);
    Ok(())
}
