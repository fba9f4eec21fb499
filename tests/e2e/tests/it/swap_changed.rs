//! The exit statuses that promise that nothing was changed, where something may have been.

use std::fs;

use anyhow::{Result, ensure};
use th_kit::{SlotApp, Tmpfs};

#[test]
fn directories_that_were_made_before_it_failed() -> Result<()> {
    let app = SlotApp::new()?;
    fs::remove_dir_all(app.path("run"))?;
    // nginx's include cannot be put in place of a directory.
    fs::remove_file(app.path("nginx/lanes.conf"))?;
    fs::create_dir(app.path("nginx/lanes.conf"))?;
    let ended = app.swap(&["init"])?.run()?.expect(3)?;
    assert_eq!(ended.record["changed"], true);
    ensure!(app.path("run/lanes").is_dir());
    let ended = app.swap(&["init"])?.run()?.expect(1)?;
    assert_eq!(ended.record["changed"], false);
    Ok(())
}

#[test]
fn a_page_that_is_on_though_it_failed() -> Result<()> {
    let app = SlotApp::new()?;
    // It has the name of an earlier time's, and is not to be removed like that.
    fs::create_dir(app.path("run/retry-after-1"))?;
    let ended = app.swap(&["maintenance", "on"])?.run()?.expect(3)?;
    assert_eq!(ended.record["changed"], true);
    ensure!(app.path("run/maintenance").exists());
    let ended = app.swap(&["maintenance", "off"])?.run()?.expect(3)?;
    assert_eq!(ended.record["changed"], true);
    ensure!(!app.path("run/maintenance").exists());
    Ok(())
}

/// A disk that takes one more file and no second one.
#[test]
fn a_release_that_cannot_be_noted_leaves_no_silence() -> Result<()> {
    let app = SlotApp::released()?;
    let state = Tmpfs::mount("size=80m")?;
    for entry in fs::read_dir(app.path("state"))? {
        let entry = entry?;
        fs::copy(entry.path(), state.path().join(entry.file_name()))?;
    }
    fs::rename(app.path("state"), app.path("state.kept"))?;
    std::os::unix::fs::symlink(state.path(), app.path("state"))?;
    for more in [0, 1] {
        state.resize(&format!("nr_inodes={}", state.inodes()? + more))?;
        let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(1)?;
        ensure!(
            ended.message().contains("No space left"),
            "{}",
            ended.record
        );
        assert_eq!(ended.record["changed"], false);
        for name in ["silence.json", "swap.json"] {
            ensure!(!state.path().join(name).exists(), "{name}");
        }
        assert_eq!(app.running("api")?, ["blue"]);
    }
    state.resize("nr_inodes=1000")?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    Ok(())
}
