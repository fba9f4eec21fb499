//! In somebody's hold: what cannot begin leaves it alone, and the way back waits for no other tool.

use std::fs;
use std::process::{Child, Command};

use anyhow::{Result, ensure};
use th_kit::{Ended, SlotApp};

use crate::backup_failures::wait_for;
use crate::swap_hold::holding;

/// The hold is as it was.
fn is_held(app: &SlotApp, ended: &Ended) -> Result<()> {
    assert_eq!(ended.record["changed"], false, "{}", ended.record);
    let status = app.swap(&["status"])?.run()?.expect(0)?;
    let pending = &status.data()["pending"];
    assert_eq!(
        (&pending["tag"], &pending["phase"], &pending["alive"]),
        (&"v2".into(), &"holding".into(), &true.into())
    );
    assert_eq!(app.running("api")?, ["blue", "green"]);
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}

#[test]
fn what_cannot_begin_does_not_end_the_hold() -> Result<()> {
    let app = SlotApp::released()?;
    app.tag("v0")?;
    for tag in ["v0", "v1"] {
        app.swap(&["to", "--tag", tag])?.run()?.expect(0)?;
    }
    app.docker(&["rmi", &format!("{}:v0", app.name())])?;
    // v1 is back in its slot, blue.
    let running = holding(&app)?;
    let canary = ["canary", "--tag", "typo", "--every", "1s"];
    for (args, exit) in [
        (vec!["to", "--tag", "typo"], 10),
        (vec!["to", "--tag", "v3", "--exclusive", "none"], 2),
        (canary.to_vec(), 10),
        (vec!["rollback", "--to", "v0"], 10),
        (vec!["rollback", "--to", "typo"], 10),
    ] {
        let ended = app.swap(&args)?.run()?.expect(exit)?;
        is_held(&app, &ended)?;
    }
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    fs::write(app.path("compose.yml"), "services: 7")?;
    let ended = app.swap(&["to", "--tag", "v3"])?.run()?.expect(2)?;
    is_held(&app, &ended)?;
    fs::write(app.path("compose.yml"), compose)?;

    app.swap(&["rollback"])?.run()?.expect(0)?;
    running.wait()?.expect(20)?;
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}

/// Another tool that holds the lock until it is ended.
struct Other(Child);

impl Other {
    fn hold(app: &SlotApp, tool: &str) -> Result<Self> {
        let script = r#"exec 9>>"$1"; flock 9
            printf '{"tool":"%s","run":"r","pid":1,"since_at":"2026-11-23T02:00:00Z"}' "$2" >"$1"
            exec sleep 300"#;
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(app.path("state/lock"))
            .arg(tool)
            .spawn()?;
        wait_for(|| {
            let text = fs::read_to_string(app.path("state/lock"))?;
            Ok(text.contains(&format!("\"{tool}\"")) && text.contains("\"pid\":1,"))
        })?;
        Ok(Self(child))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_way_back_does_not_wait_for_a_backup() -> Result<()> {
    let app = SlotApp::released()?;
    let running = holding(&app)?;
    let swap = Other::hold(&app, "th-swap")?;
    app.swap(&["rollback"])?.run()?.expect(11)?;
    assert_eq!(app.answer()?, "v2 green");
    drop(swap);

    let backup = Other::hold(&app, "th-backup")?;
    // What is not a repoint is not done beside it.
    app.swap(&["rollback", "--to", "v2"])?.run()?.expect(11)?;
    app.swap(&["to", "--tag", "v3"])?.run()?.expect(11)?;
    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    let warnings = back.record["warnings"].to_string();
    for words in ["without the lock", "th-backup"] {
        ensure!(warnings.contains(words), "{warnings}");
    }
    assert_eq!(back.data()["booted"], false);
    assert_eq!(app.answer()?, "v1 blue");
    // The slot is stopped in the turn of the process that watches.
    drop(backup);
    running.wait()?.expect(20)?;
    assert_eq!(app.running("api")?, ["blue"]);
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}
