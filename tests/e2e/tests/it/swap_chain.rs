//! In a chain: the gate on what came before, and the lock that the chain holds.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use th_kit::SlotApp;

use crate::backup_failures::wait_for;

fn upstream(ok: bool, started_at: &str) -> String {
    let error = if ok {
        "null".to_owned()
    } else {
        r#"{"kind":"io","message":"full","hint":null,"exit":1,"done":[]}"#.to_owned()
    };
    format!(
        r#"{{"v":1,"kind":"backup","tool":"th-backup","version":"0.1.0","run":"chain-1","environment":"test","started_at":"{started_at}","duration_seconds":1.0,"ok":{ok},"changed":true,"dry_run":false,"warnings":[],"data":{{"set":"20261123T020000Z-7f3a"}},"error":{error}}}"#
    ) + "\n"
}

fn now() -> Result<String> {
    let output = Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[test]
fn a_failed_or_old_backup_stops_the_release() -> Result<()> {
    let app = SlotApp::released()?;
    for input in [
        upstream(false, &now()?),
        upstream(true, "2020-01-01T00:00:00Z"),
        String::new(),
    ] {
        let ended = app
            .swap(&["to", "--tag", "v2", "-"])?
            .stdin(input)
            .run()?
            .expect(13)?;
        assert_eq!(ended.kind(), "upstream");
        assert_eq!(
            (app.answer()?, app.running("api")?),
            ("v1 blue".into(), vec!["blue".into()])
        );
    }
    let ended = app
        .swap(&["to", "--tag", "v2", "-"])?
        .stdin(upstream(true, &now()?))
        .run()?
        .expect(0)?;
    assert_eq!(ended.record["run"], "chain-1");
    assert_eq!(ended.data()["pre_release_set"], "20261123T020000Z-7f3a");
    let history = app.swap(&["history"])?.run()?.expect(0)?;
    ensure!(
        history
            .stdout
            .contains("\"pre_release_set\":\"20261123T020000Z-7f3a\""),
        "{}",
        history.stdout
    );
    Ok(())
}

/// A chain holds the lock across its tools; the hold lets go of it all the same, and takes it again.
#[test]
fn the_hold_lets_go_of_the_lock_of_its_chain() -> Result<()> {
    let app = SlotApp::released()?;
    let script = r#"exec 9>>"$1/state/lock"; flock -n 9 || exit 99
        export TH_LOCK_FD=9
        "$2/th-swap" --config "$1/th.toml" to --tag v2 --hold 8s
        code=$?
        # Held again: another one cannot have it.
        TH_LOCK_FD= "$2/th-swap" --config "$1/th.toml" to --tag v3 >/dev/null 2>&1
        [ $? = 11 ] || exit 98
        exit $code"#;
    let bin = fs::canonicalize(std::env::var("TH_BIN_DIR")?)?;
    let mut chain = Command::new("sh")
        .args(["-c", script, "sh"])
        .args([app.path(""), bin])
        .stdout(std::process::Stdio::null())
        .spawn()?;
    wait_for(|| {
        Ok(fs::read_to_string(app.path("state/swap.json"))
            .is_ok_and(|text| text.contains("\"holding\"")))
    })?;
    // The lock is free, for a rollback or anything else.
    wait_for(|| {
        let mut flock = Command::new("flock");
        let free = flock.arg("-n").arg(app.path("state/lock")).arg("true");
        Ok(free.status()?.success())
    })?;
    ensure!(
        app.path("state/swap.json").exists(),
        "the lock was held during the hold"
    );
    ensure!(chain.wait()?.code() == Some(0), "the chain failed");
    assert_eq!(
        (app.answer()?, app.running("api")?),
        ("v2 green".into(), vec!["green".into()])
    );
    Ok(())
}
