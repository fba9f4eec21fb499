//! The way back: what it tells when it is refused, and what it can be told.

use std::process::Command;

use anyhow::{Result, ensure};
use th_kit::{Server, SlotApp};

use crate::swap_database::with_database;
use crate::swap_death::kill_in;
use crate::swap_hold::holding;

/// The record of the backup `set`, made just now.
pub(crate) fn backup(set: &str) -> Result<String> {
    let now = Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()?;
    let now = String::from_utf8(now.stdout)?;
    Ok(format!(
        r#"{{"v":1,"kind":"backup","tool":"th-backup","version":"0.1.0","run":"{set}","environment":"test","started_at":"{}","duration_seconds":1.0,"ok":true,"changed":true,"dry_run":false,"warnings":[],"data":{{"set":"{set}"}},"error":null}}"#,
        now.trim()
    ) + "\n")
}

/// Going back to v1 loses what came after the backup before v2; the one before v1 has nothing of v1.
#[test]
fn a_refusal_names_the_backup_made_before_the_release_that_came_next() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let head = "CREATE TABLE alembic_version (version_num text); \
                INSERT INTO alembic_version VALUES ('0007')";
    let database = cluster.database_with("swap", head)?;
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    let sets = ["20261123T020000Z-0001", "20261123T030000Z-0002"];
    let release = |tag: &str, set: &str, hold: &str| {
        let args = ["to", "--tag", tag, "--hold", hold, "-"];
        app.swap(&args)?.stdin(backup(set)?).start()
    };
    release("v1", sets[0], "0s")?.wait()?.expect(0)?;
    release("v2", sets[1], "0s")?.wait()?.expect(0)?;
    let migrate = "UPDATE alembic_version SET version_num = '0008'";
    cluster.psql(&database, migrate)?;
    let refused = app.swap(&["rollback"])?.run()?.expect(13)?;
    let hint = format!("th-restore apply -e test --only db {} ", sets[1]);
    ensure!(refused.message().contains(&hint), "{}", refused.record);
    assert_eq!(refused.record["changed"], false);
    assert_eq!(app.answer()?, "v2 green");

    // The same while the old slot is warm, with nobody to watch.
    let running = release("v3", "20261123T040000Z-0003", "60s")?;
    crate::backup_failures::wait_for(|| Ok(app.path("state/head.json").exists()))?;
    ensure!(running.kill(), "it had ended");
    let migrate = "UPDATE alembic_version SET version_num = '0009'";
    cluster.psql(&database, migrate)?;
    let refused = app.swap(&["rollback"])?.run()?.expect(13)?;
    let hint = "th-restore apply -e test --only db 20261123T040000Z-0003 ";
    ensure!(refused.message().contains(hint), "{}", refused.record);
    Ok(())
}

#[test]
fn inside_the_hold_the_slot_that_is_left_is_not_held() -> Result<()> {
    let app = SlotApp::released()?;
    let running = holding(&app)?;
    let args = ["rollback", "--hold", "60s"];
    let back = app.swap(&args)?.run()?.expect(0)?;
    let warnings = back.record["warnings"].to_string();
    ensure!(warnings.contains("--hold is not used"), "{}", back.record);
    running.wait()?.expect(20)?;
    assert_eq!(app.running("api")?, ["blue"]);
    Ok(())
}

/// What a dead run had left is cleared up before the gate refuses: something was changed.
#[test]
fn a_refusal_after_a_clearing_up_is_a_change() -> Result<()> {
    let app = SlotApp::released()?;
    for args in [vec!["to", "--tag", "v9"], vec!["rollback", "--to", "v9"]] {
        kill_in(&app, &["to", "--tag", "v2"], "starting")?;
        let refused = app.swap(&args)?.run()?.expect(3)?;
        let warnings = refused.record["warnings"].to_string();
        ensure!(warnings.contains("took back"), "{}", refused.record);
        assert_eq!(refused.record["changed"], true);
        let refused = app.swap(&args)?.run()?.expect(10)?;
        assert_eq!(refused.record["changed"], false);
    }
    assert_eq!(app.answer()?, "v1 blue");
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}
