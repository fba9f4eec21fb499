//! Databases are pruned while somebody dies: a restore, the server, the pruner itself.

use std::time::Instant;

use anyhow::{Result, ensure};
use th_kit::{Cluster, Pace, Server};

use crate::backup_failures::wait_for;
use crate::prune_databases::{OLD, beside, prune};
use crate::setup::{App, bulk, cluster};

#[test]
fn a_server_that_dies_in_the_middle_leaves_the_rest_for_the_next_run() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "dying_prune", &bulk(10))?;
    for number in 0..20 {
        beside(&app, &format!("before_20200101T0000{number:02}Z-00aa"))?;
    }
    let running = app.tool("th-prune")?.args(["databases"]).start()?;
    wait_for(|| Ok(app.beside()?.len() < 20))?;
    server.halt()?;
    let ended = running.wait()?.expect(3)?;
    let part = &ended.data()["parts"][0];
    assert!(part["failed_count"].as_u64() > Some(0), "{part}");
    server.resume()?;
    prune(&app, &[])?.expect(0)?;
    assert_eq!(app.beside()?, Vec::<String>::new());
    assert_eq!(
        server.psql(&app.database, "SELECT word FROM marker")?,
        "original"
    );
    Ok(())
}

#[test]
fn a_signal_ends_it_between_two() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "signalled", &bulk(10))?;
    for number in 0..20 {
        beside(&app, &format!("before_20200101T0000{number:02}Z-00aa"))?;
    }
    let running = app.tool("th-prune")?.args(["databases"]).start()?;
    wait_for(|| Ok(app.beside()?.len() < 20))?;
    running.signal("TERM")?;
    let ended = running.wait()?.expect(143)?;
    let done = ended.record["error"]["done"].as_array().map_or(0, Vec::len);
    assert!(
        done > 0 && done >= 20 - app.beside()?.len() - 1,
        "{}",
        ended.record
    );
    assert!(!app.beside()?.is_empty());
    prune(&app, &[])?.expect(0)?;
    Ok(())
}

#[test]
fn what_a_restore_that_died_needs_stays_at_any_age() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "pending", &bulk(3_000))?;
    app.backup()?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    let start = Instant::now();
    app.restore(&["apply", "--only", "db"])?.expect(0)?;
    let mut pace = Pace::of(start.elapsed());
    app.restore(&["undo"])?.expect(0)?;
    let pending = app.store.path().join("state/restore.pending.json");
    let mut seen = 0;
    for moment in 4..12 {
        app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
        let mut running = app
            .tool("th-restore")?
            .args(["apply", "--only", "db"])
            .start()?;
        pace.wait(&mut running, f64::from(moment) / 12.0);
        running.kill();
        let before = app.beside()?;
        if pending.exists() && !before.is_empty() {
            seen += 1;
            let done = prune(&app, &["--older-than", "0s"])?.expect(0)?;
            assert!(done.record["warnings"].to_string().contains("th-restore"));
            assert_eq!(app.beside()?, before, "{}", done.stdout);
        }
        let word = app.server.psql(&app.database, "SELECT word FROM marker")?;
        app.restore(&["gc", "--older-than", "7d"])?.expect(0)?;
        assert_eq!(
            app.server.psql(&app.database, "SELECT word FROM marker")?,
            word
        );
        assert!(!pending.exists());
    }
    ensure!(seen > 0, "no restore was killed in the middle");
    Ok(())
}

#[test]
fn while_another_tool_is_at_work_nothing_goes() -> Result<()> {
    let app = App::new(cluster()?, "locked_leftovers", &bulk(20_000))?;
    let old = beside(&app, &format!("before_{}", OLD[0]))?;
    let backup = app.tool("th-backup")?.args(["--bandwidth", "2M"]).start()?;
    wait_for(|| Ok(!app.store.incoming()?.is_empty()))?;
    prune(&app, &[])?.expect(11)?;
    assert_eq!(app.beside()?, [old]);
    // A plan waits for nobody.
    prune(&app, &["--plan"])?.expect(0)?;
    backup.wait()?.expect(0)?;
    Ok(())
}

#[test]
fn kill_9_in_the_middle_and_once_more() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "killed_prune", &bulk(10))?;
    for moment in 1..=3 {
        for number in 0..12 {
            beside(&app, &format!("before_20200101T0000{number:02}Z-00aa"))?;
        }
        let running = app.tool("th-prune")?.args(["databases"]).start()?;
        wait_for(|| Ok(app.beside()?.len() <= 12 - moment))?;
        running.kill();
        let left = app.beside()?.len();
        let done = prune(&app, &[])?.expect(0)?;
        assert!(done.data()["parts"][0]["deleted_count"].as_u64() <= Some(left as u64));
        assert_eq!(app.beside()?, Vec::<String>::new());
        assert_eq!(
            app.server.psql(&app.database, "SELECT word FROM marker")?,
            "original"
        );
    }
    Ok(())
}
