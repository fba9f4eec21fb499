//! A full disk under the journal.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use th_kit::SlotApp;

use crate::backup_failures::wait_for;

/// The state on a file system of its own, unmounted when dropped.
pub(crate) struct State<'a>(&'a SlotApp);

impl<'a> State<'a> {
    pub(crate) fn mount(app: &'a SlotApp) -> Result<Self> {
        let state = app.path("state");
        let kept = app.path("state.kept");
        fs::rename(&state, &kept)?;
        fs::create_dir(&state)?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=80m", "tmpfs"])
            .arg(&state);
        ensure!(
            mount.status()?.success(),
            "this test needs the right to mount a tmpfs"
        );
        for entry in fs::read_dir(&kept)? {
            let entry = entry?;
            fs::copy(entry.path(), state.join(entry.file_name()))?;
        }
        Ok(Self(app))
    }

    /// Takes all of the space.
    pub(crate) fn fill(&self) -> Result<()> {
        let full = self.0.path("state/full");
        let mut dd = Command::new("dd");
        dd.args(["if=/dev/zero", "bs=4k", "status=none"])
            .arg(format!("of={}", full.display()));
        ensure!(!dd.output()?.status.success(), "it is not full");
        Ok(())
    }
}

impl Drop for State<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path("state")).status();
    }
}

#[test]
fn a_disk_that_fills_up_before_the_switch_and_one_that_is_full() -> Result<()> {
    let app = SlotApp::released()?;
    let state = State::mount(&app)?;
    app.sicken("v2", "boot=3")?;
    let running = app.swap(&["to", "--tag", "v2"])?.start()?;
    wait_for(|| Ok(app.running("api")?.len() == 2))?;
    state.fill()?;
    let ended = running.wait()?.expect(20)?;
    ensure!(
        ended.message().contains("No space left"),
        "{}",
        ended.record
    );
    assert_eq!(
        (app.answer()?, app.lanes()?),
        ("v1 blue".into(), vec!["blue".into()])
    );
    assert_eq!(app.running("api")?, ["blue"]);

    // Now it is full beforehand, and nothing is begun.
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(13)?;
    ensure!(ended.message().contains("disk:"), "{}", ended.record);

    fs::remove_file(app.path("state/full"))?;
    app.sicken("v2", "")?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}

/// The release is good: that the disk is full takes nothing back.
#[test]
fn a_disk_that_fills_up_in_the_hold() -> Result<()> {
    let app = SlotApp::released()?;
    let state = State::mount(&app)?;
    let running = app.swap(&["to", "--tag", "v2", "--hold", "5s"])?.start()?;
    let holding = || {
        let pending = fs::read_to_string(app.path("state/swap.json"));
        Ok(pending.is_ok_and(|text| text.contains("\"holding\"")))
    };
    wait_for(holding)?;
    state.fill()?;
    let ended = running.wait()?.expect(3)?;
    ensure!(
        ended.message().contains("No space left"),
        "{}",
        ended.record
    );
    ensure!(
        ended.message().contains("th-swap resume"),
        "{}",
        ended.record
    );
    assert_eq!(
        (app.answer()?, app.running("api")?.len()),
        ("v2 green".into(), 2)
    );

    fs::remove_file(app.path("state/full"))?;
    app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(
        (app.answer()?, app.running("api")?),
        ("v2 green".into(), vec!["green".into()])
    );
    Ok(())
}
