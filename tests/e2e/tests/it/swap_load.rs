//! Users across swaps: many short requests, and one each of what takes long.

use std::time::Duration;

use anyhow::{Result, ensure};
use th_kit::{Long, SlotApp, Stream, Traffic};

#[test]
fn no_request_is_lost_and_nothing_long_is_cut() -> Result<()> {
    let app = SlotApp::released()?;
    let address = app.nginx().address();
    let load = Traffic::of_witness(address.clone()).start();
    for tag in ["v2", "v3", "v2"] {
        let time = Duration::from_secs(6);
        let long = [
            (Long::Upload, "/unbuffered/upload"),
            (Long::Download, "/unbuffered/download?seconds=6"),
            (Long::Websocket, "/ws"),
        ];
        let long = long.map(|(long, path)| (long, Stream::start(long, &address, path, "", time)));
        let ended = app.swap(&["to", "--tag", tag])?.run()?.expect(0)?;
        assert_eq!(ended.data()["receipt"]["cut"], 0, "{}", ended.record);
        for (long, stream) in long {
            let slot = stream.finish();
            ensure!(slot.is_ok(), "{long:?} was cut: {slot:?}");
        }
    }
    let counted = load.finish();
    ensure!(
        counted.failed == 0,
        "{:?} of {}",
        counted.failures,
        counted.requests
    );
    ensure!(
        counted.requests > 1000,
        "only {} requests",
        counted.requests
    );
    Ok(())
}

#[test]
fn what_does_not_end_is_cut_at_the_limit_and_counted() -> Result<()> {
    let app = SlotApp::released()?;
    let time = Duration::from_secs(60);
    let stream = Stream::start(Long::Websocket, &app.nginx().address(), "/ws", "", time);
    std::thread::sleep(Duration::from_millis(300));
    let ended = app
        .swap(&["to", "--tag", "v2", "--drain", "2s"])?
        .run()?
        .expect(0)?;
    assert_eq!(ended.data()["receipt"]["cut"], 1, "{}", ended.record);
    assert_eq!(
        ended.data()["receipt"]["drain_seconds"],
        serde_json::Value::Null
    );
    ensure!(stream.finish().is_err(), "it was not cut");
    Ok(())
}
