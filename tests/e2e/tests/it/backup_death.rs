//! A backup that is killed or told to stop at any moment.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{Cluster, ContainerServer, Moments, Pace, Server, tree};

use crate::backup_failures::wait_for;
use crate::setup::{App, bulk, cluster, postgres15};

/// Kills `count` backups, each at a moment of its own, and runs another after each.
fn survives_kills(server: &dyn Server, count: u32, levels: &[&str]) -> Result<()> {
    let app = App::new(server, "killed", &bulk(8_000))?;
    let temporary = tempfile::tempdir()?;
    let tool = |level: &str| {
        let tool = app.tool("th-backup")?.args(["--prove", level]);
        Ok::<_, anyhow::Error>(tool.env("TMPDIR", &temporary.path().to_string_lossy()))
    };
    let mut took = Vec::new();
    for level in levels {
        let start = Instant::now();
        tool(level)?.run()?.expect(0)?;
        took.push((*level, Pace::of(start.elapsed())));
    }
    let mut killed = 0;
    Moments::new().each(count, |moment, moments| {
        fs::write(app.files.path().join("none"), moment.to_string())?;
        let kind = moment as usize % took.len();
        let (level, pace) = &mut took[kind];
        let mut running = tool(level)?.start()?;
        pace.wait(&mut running, moments.share());
        killed += u32::from(running.kill());
        app.store.check_whole()?;

        let rerun = tool("none")?.run()?.expect(0)?;
        let strays = app.store.strays()?;
        ensure!(strays.is_empty(), "left in the store: {strays:?}");
        ensure!(app.beside()?.is_empty(), "left: {:?}", app.beside()?);
        ensure!(tree(temporary.path())?.is_empty(), "left in $TMPDIR");
        wait_for(|| Ok(server.tool_sessions(&app.database)? == 0))?;
        // The next check is quicker.
        for set in app.store.sets()? {
            if rerun.data()["set"] != *set {
                fs::remove_dir_all(app.store.set(&set))?;
            }
        }
        Ok(())
    })?;
    ensure!(
        killed >= count / 3,
        "only {killed} of {count} runs were killed"
    );
    let last = tool("content")?.run()?.expect(0)?;
    assert_eq!(last.data()["proof"], "content");
    assert_eq!(app.store.check_whole()?, 2);
    Ok(())
}

#[test]
fn kill_9_by_url() -> Result<()> {
    let server = Cluster::start()?;
    survives_kills(&server, 50, &["decode", "content"])?;
    wait_for(|| Ok(server.all_tool_sessions()?.is_empty()))
}

#[test]
fn kill_9_in_a_container() -> Result<()> {
    let server = ContainerServer::start(15)?;
    survives_kills(&server, 8, &["decode"])?;
    wait_for(|| Ok(server.all_tool_sessions()?.is_empty()))?;
    wait_for(|| {
        Ok(!server
            .processes()?
            .iter()
            .any(|line| line.contains("pg_dump") || line.contains("pg_restore")))
    })
}

fn stops_when_told(server: &dyn Server, signal: &str, number: i32) -> Result<()> {
    let app = App::new(server, "told", &bulk(40_000))?;
    for milliseconds in [0, 200, 600] {
        let tool = app.tool("th-backup")?.args(["--bandwidth", "3M"]);
        let running = tool.start()?;
        wait_for(|| Ok(!app.store.incoming()?.is_empty()))?;
        thread::sleep(Duration::from_millis(milliseconds));
        let start = Instant::now();
        running.signal(signal)?;
        let ended = running.wait()?.expect(128 + number)?;
        // By the signal itself, so that a shell stops its script too.
        assert_eq!(ended.signal, Some(number));
        ensure!(
            start.elapsed() < Duration::from_secs(5),
            "it took {:?}",
            start.elapsed()
        );
        assert_eq!(ended.record["changed"], false);
        assert_eq!(
            (app.store.sets()?.len(), app.store.strays()?),
            (0, Vec::new())
        );
        wait_for(|| Ok(server.tool_sessions(&app.database)? == 0))?;
    }
    Ok(())
}

#[test]
fn sigterm_by_url() -> Result<()> {
    stops_when_told(cluster()?, "TERM", 15)
}

#[test]
fn sigint_in_a_container() -> Result<()> {
    stops_when_told(postgres15()?, "INT", 2)
}
