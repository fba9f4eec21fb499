//! A signal takes a release back, and cuts off nobody.

use std::time::Duration;

use anyhow::Result;
use th_kit::{Long, SlotApp, Stream};

use crate::backup_failures::wait_for;

#[test]
fn who_is_on_the_new_slot_of_a_canary_comes_to_his_end() -> Result<()> {
    let app = SlotApp::released()?;
    let args = ["canary", "--tag", "v2", "--steps", "50", "--every", "60s"];
    let running = app.swap(&args)?.start()?;
    wait_for(|| Ok(app.lanes()? == ["blue", "green"]))?;
    let front = app.nginx().address();
    // Longer than the slot's own grace period. Half of the users are on either slot.
    let download = |user: u32| {
        let cookie = format!("Cookie: th_client=long-{user}\r\n");
        let (path, time) = ("/download?seconds=6", Duration::from_secs(6));
        Stream::start(Long::Download, &front, path, &cookie, time)
    };
    let downloads: Vec<Stream> = (0..8).map(download).collect();
    std::thread::sleep(Duration::from_secs(1));
    running.signal("TERM")?;
    running.wait()?.expect(143)?;
    let slots = downloads.into_iter().map(Stream::finish_in_time);
    let slots = slots.collect::<Result<Vec<_>, _>>()?;
    assert!(slots.contains(&"green".to_owned()), "{slots:?}");
    assert_eq!(app.answer()?, "v1 blue");
    assert_eq!(app.running("api")?, ["blue"]);
    Ok(())
}
