//! An nginx that leads some of the users past the lanes of the settings.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Result, ensure};
use th_kit::SlotApp;

#[test]
fn fewer_lanes_than_nginx_knows_are_refused() -> Result<()> {
    let app = SlotApp::released()?;
    app.write_config("lanes = 10")?;
    let refused = app.swap(&["to", "--tag", "v2"])?.run()?.expect(13)?;
    let (message, hint) = (refused.message(), &refused.record["error"]["hint"]);
    ensure!(message.contains("lanes 10 to 19"), "{}", refused.record);
    ensure!(hint.to_string().contains("th-swap init"), "{hint}");
    assert_eq!(app.answer()?, "v1 blue");
    // As the hint says.
    app.swap(&["init"])?.run()?.expect(0)?;
    app.nginx().reload()?;
    for lane in 10..20 {
        fs::remove_file(app.path(&format!("run/lanes/{lane}")))?;
    }
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}

/// The tool's own clients are served by the new slot, one time or another.
#[test]
fn half_of_the_users_on_the_old_slot_are_not_served() -> Result<()> {
    let app = SlotApp::released()?;
    let include = app.path("nginx/lanes.conf");
    let past = fs::read_to_string(&include)?.replace("/lanes/1", "/blue/1");
    fs::write(&include, past)?;
    for lane in 10..20 {
        symlink(".", app.path(&format!("run/blue/{lane}")))?;
    }
    app.nginx().reload()?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(20)?;
    ensure!(
        ended.message().contains("nginx does not serve green"),
        "{}",
        ended.record
    );
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}
