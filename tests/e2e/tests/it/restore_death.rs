//! A restore that is killed at any moment leaves the old or the new, never a mixture.

use std::fs;
use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};
use th_kit::{Cluster, Server, Tree};

use crate::setup::{App, bulk, cluster, postgres15};

/// Makes the live state another than the set's: the marker and many files.
fn diverge(app: &App<'_>) -> Result<Tree> {
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    for number in 0..60 {
        fs::write(app.files.path().join(format!("2026/{number}.txt")), "live")?;
        fs::write(
            app.files.path().join(format!("2026/live-{number}.txt")),
            "live",
        )?;
        let _ = fs::remove_file(app.files.path().join(format!("2026/{}.txt", number + 100)));
    }
    app.tree()
}

fn survives_kills(server: &dyn Server, moments: u32) -> Result<()> {
    let app = App::new(server, "killed", &bulk(3_000))?;
    let new = app.tree()?;
    app.backup()?;
    let old = diverge(&app)?;
    let start = Instant::now();
    app.restore(&["apply"])?.expect(0)?;
    let whole = start.elapsed();
    app.restore(&["undo"])?.expect(0)?;
    let (mut killed, mut switched) = (0, 0);
    for moment in 0..moments {
        // The later part of a run, where the switch is, gets more of the moments.
        let share = (f64::from(moment + 1) / f64::from(moments)).sqrt();
        let running = app.tool("th-restore")?.args(["apply"]).start()?;
        thread::sleep(whole.mul_f64(share));
        killed += u32::from(running.kill());
        // At every moment there is a whole database under the live name.
        let word = server.psql(&app.database, "SELECT word FROM marker")?;
        let rows = server.psql(&app.database, "SELECT count(*) FROM bulk")?;
        ensure!(rows == "3000", "moment {moment}: {rows} rows");

        app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
        let after = server.psql(&app.database, "SELECT word FROM marker")?;
        ensure!(
            after == word,
            "moment {moment}: the recovery went from {word} to {after}"
        );
        let wanted = if word == "live" { &old } else { &new };
        ensure!(
            app.tree()? == *wanted,
            "moment {moment}: {word}, but the files are not"
        );
        ensure!(
            app.beside()?.is_empty(),
            "moment {moment}: {:?} left",
            app.beside()?
        );
        if word == "original" {
            switched += 1;
            diverge(&app)?;
        }
    }
    ensure!(
        killed >= moments / 3,
        "only {killed} of {moments} runs were killed"
    );
    ensure!(switched < moments, "no run was killed before the switch");
    app.restore(&["apply"])?.expect(0)?;
    ensure!(app.tree()? == new, "the files differ at the end");
    Ok(())
}

#[test]
fn kill_9_by_url() -> Result<()> {
    // Of its own: databases that other tests drop meanwhile make the listing of databases fail.
    survives_kills(&Cluster::start()?, 25)
}

#[test]
fn kill_9_in_a_container() -> Result<()> {
    survives_kills(postgres15()?, 12)
}

#[test]
fn a_verification_that_is_killed_leaves_nothing() -> Result<()> {
    let servers: [&dyn Server; 2] = [cluster()?, postgres15()?];
    for server in servers {
        let app = App::new(server, "verify", &bulk(3_000))?;
        app.backup()?;
        let start = Instant::now();
        app.restore(&["verify"])?.expect(0)?;
        let whole = start.elapsed();
        for moment in 1..5 {
            let running = app.tool("th-restore")?.args(["verify"]).start()?;
            thread::sleep(whole.mul_f64(f64::from(moment) / 5.0));
            running.kill();
        }
        app.restore(&["verify"])?.expect(0)?;
        assert_eq!(app.beside()?, Vec::<String>::new());
    }
    Ok(())
}
