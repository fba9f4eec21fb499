//! What the watch over a new slot lives through.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use th_kit::{Server, SlotApp};

use crate::backup_failures::wait_for;
use crate::swap_database::with_database;
use crate::swap_hold::holding;

/// As when the engine is restarted twice: each time both slots are down for a while.
#[test]
fn a_second_outage_of_both_slots_is_a_new_one() -> Result<()> {
    let app = SlotApp::released()?;
    let mut running = holding(&app)?;
    let outage = || -> Result<()> {
        for how in ["health=500", ""] {
            app.sicken("v1", how)?;
            app.sicken("v2", how)?;
            thread::sleep(Duration::from_secs(4));
        }
        Ok(())
    };
    outage()?;
    // More than both may be down together.
    thread::sleep(Duration::from_secs(30));
    outage()?;
    ensure!(!running.is_over(), "the second outage was the first one's");
    running.signal("INT")?;
    let ended = running.wait()?.expect(130)?;
    ensure!(
        ended.data()["watch"]["failed"].as_u64() > Some(10),
        "{}",
        ended.record
    );
    assert_eq!(app.answer()?, "v2 green");
    Ok(())
}

#[test]
fn a_session_that_broke_is_opened_again() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let head = "CREATE TABLE alembic_version (version_num text); \
                INSERT INTO alembic_version VALUES ('0007')";
    let database = cluster.database_with("watched", head)?;
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let running = holding(&app)?;
    let noted = |head: &str| {
        let seen = fs::read_to_string(app.path("state/head.json"));
        Ok(seen.is_ok_and(|seen| seen.contains(head)))
    };
    wait_for(|| noted("0007"))?;
    let broken = cluster.psql(
        &database,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE application_name = 'th-swap' AND datname = current_database()",
    )?;
    assert_eq!(broken, "1");
    cluster.psql(&database, "UPDATE alembic_version SET version_num = '0008'")?;
    wait_for(|| noted("0008"))?;
    running.signal("INT")?;
    running.wait()?.expect(130)?;
    Ok(())
}
