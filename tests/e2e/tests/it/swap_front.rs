//! A web server that is down, or looks elsewhere.

use std::fs;

use anyhow::{Result, ensure};
use th_kit::SlotApp;

#[test]
fn nginx_is_down() -> Result<()> {
    let app = SlotApp::released()?;
    app.nginx().halt()?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(12)?;
    ensure!(
        ended.message().contains("nothing answers on"),
        "{}",
        ended.record
    );
    assert_eq!(
        (app.lanes()?, app.running("api")?),
        (vec!["blue".into()], vec!["blue".into()])
    );
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    assert_eq!(status.data()["agree"], false);
    app.nginx().resume()?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn nginx_dies_while_the_slot_starts() -> Result<()> {
    let app = SlotApp::released()?;
    app.sicken("v2", "boot=3")?;
    let running = app.swap(&["to", "--tag", "v2"])?.start()?;
    crate::backup_failures::wait_for(|| Ok(app.running("api")?.len() == 2))?;
    app.nginx().halt()?;
    let ended = running.wait()?.expect(20)?;
    ensure!(
        ended.message().contains("requests failed"),
        "{}",
        ended.record
    );
    app.nginx().resume()?;
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}

/// nginx has a copy of the include file, which leads to the slot for good.
#[test]
fn nginx_reads_another_directory() -> Result<()> {
    let app = SlotApp::released()?;
    let include = app.path("nginx/lanes.conf");
    let lanes = fs::read_to_string(&include)?;
    let stale = lanes.replace(
        &app.path("run/lanes").display().to_string(),
        &app.path("old").display().to_string(),
    );
    fs::create_dir(app.path("old"))?;
    for number in 0..20 {
        std::os::unix::fs::symlink("../run/blue", app.path("old").join(format!("{number:02}")))?;
    }
    fs::write(&include, &stale)?;
    app.nginx().reload()?;

    // Before the switch all looks well. After it, nginx goes on with the old slot.
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(20)?;
    ensure!(
        ended.message().contains("nginx does not serve green"),
        "{}",
        ended.record
    );
    assert_eq!(
        (app.lanes()?, app.answer()?),
        (vec!["blue".into()], "v1 blue".into())
    );
    assert_eq!(app.running("api")?, ["blue"]);

    // Where the other directory leads elsewhere, it is seen beforehand.
    fs::write(&include, &lanes)?;
    app.nginx().reload()?;
    let _running = crate::swap_hold::holding(&app)?;
    fs::write(&include, &stale)?;
    app.nginx().reload()?;
    crate::backup_failures::wait_for(|| Ok(app.answer()? == "v1 blue"))?;
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    ensure!(
        status.message().contains("but nginx serves blue") || status.message().contains("died"),
        "{}",
        status.record
    );
    Ok(())
}
