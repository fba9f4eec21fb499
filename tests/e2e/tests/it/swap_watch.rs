//! What the watch over a new slot lives through.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use th_kit::{Server, SlotApp, docker};

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

/// The old slot is no better as long as nobody is let through to it.
#[test]
fn a_restart_of_nginx_is_no_fault_of_the_release() -> Result<()> {
    let app = SlotApp::released()?;
    let mut running = holding(&app)?;
    app.nginx().halt()?;
    // Longer than it takes to fail three times.
    thread::sleep(Duration::from_secs(7));
    app.nginx().resume()?;
    thread::sleep(Duration::from_secs(2));
    ensure!(!running.is_over(), "a good release was taken back");
    assert_eq!(app.answer()?, "v2 green");
    running.signal("INT")?;
    let ended = running.wait()?.expect(130)?;
    ensure!(
        ended.data()["watch"]["failed"].as_u64() >= Some(3),
        "{}",
        ended.record
    );
    Ok(())
}

#[test]
fn who_looks_for_the_watcher_does_not_hide_it() -> Result<()> {
    let app = SlotApp::released()?;
    // As `status` does, in the moment in which the hold begins.
    let looked = File::create(app.path("state/hold"))?;
    looked.lock_shared()?;
    let running = app
        .swap(&["to", "--tag", "v2", "--hold", "120s"])?
        .start()?;
    wait_for(|| {
        let pending = fs::read_to_string(app.path("state/swap.json"));
        Ok(pending.is_ok_and(|text| text.contains("\"holding\"")))
    })?;
    thread::sleep(Duration::from_secs(1));
    drop(looked);
    wait_for(|| Ok(app.swap(&["status"])?.run()?.code == 0))?;
    running.signal("INT")?;
    running.wait()?.expect(130)?;
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

/// As while a migration holds its table: the head is not to be had, and the slot is looked at.
#[test]
fn a_database_that_does_not_answer_hides_nothing() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let head = "CREATE TABLE alembic_version (version_num text); \
                INSERT INTO alembic_version VALUES ('0007')";
    let database = cluster.database_with("locked", head)?;
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let running = holding(&app)?;
    thread::scope(|scope| {
        let lock = "BEGIN; LOCK TABLE alembic_version; SELECT pg_sleep(60)";
        scope.spawn(|| cluster.psql(&database, lock));
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND application_name = 'th-swap' AND datname = current_database()";
        wait_for(|| Ok(cluster.psql(&database, waiting)? == "1"))?;
        app.sicken("v2", "health=500")?;
        let back = wait_for(|| Ok(app.lanes()? == ["blue"]));
        let sleepers = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                        WHERE wait_event = 'PgSleep' AND datname = current_database()";
        cluster.psql(&database, sleepers)?;
        back
    })?;
    running.wait()?.expect(20)?;
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}

#[test]
fn an_old_slot_that_does_not_run_is_not_gone_back_to() -> Result<()> {
    let app = SlotApp::released()?;
    let mut running = holding(&app)?;
    docker(&["stop", &app.container("blue", "api")?])?;
    app.sicken("v2", "health=500")?;
    // Longer than an outage may last.
    thread::sleep(Duration::from_secs(40));
    ensure!(!running.is_over(), "users were led to nobody");
    assert_eq!(app.answer()?, "v2 green");
    app.sicken("v2", "")?;
    running.signal("INT")?;
    let ended = running.wait()?.expect(130)?;
    let warnings = ended.record["warnings"].to_string();
    ensure!(
        warnings.contains("green keeps the traffic"),
        "{}",
        ended.record
    );
    Ok(())
}
