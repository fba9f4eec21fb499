//! A restore that is told to stop leaves what was live, or is done.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{Moments, Pace, Server};

use crate::backup_failures::wait_for;
use crate::restore_death::{Subject, Which};
use crate::setup::{cluster, postgres15};

/// Stops `count` restores, by SIGINT and SIGTERM in turn.
fn stops_when_told(server: &dyn Server, count: u32) -> Result<()> {
    let subject = Subject::new(server)?;
    let app = &subject.app;
    let start = Instant::now();
    app.restore(&["apply"])?.expect(0)?;
    let mut pace = Pace::of(start.elapsed());
    app.restore(&["undo"])?.expect(0)?;
    subject.clear()?;
    let mut stopped = 0;
    Moments::new().each(count, |moment, moments| {
        let (name, number) = [("INT", 2), ("TERM", 15)][moment as usize % 2];
        let mut running = app.tool("th-restore")?.args(["apply"]).start()?;
        pace.wait(&mut running, moments.share());
        running.signal(name)?;
        let start = Instant::now();
        let ended = running.wait()?;
        ensure!(
            start.elapsed() < Duration::from_secs(5),
            "it took {:?}",
            start.elapsed()
        );
        if ended.code == 0 {
            // It was past the switch.
            subject.check(Which::New)?;
            app.restore(&["undo"])?.expect(0)?;
            subject.check(Which::Old)?;
            return subject.clear();
        }
        stopped += 1;
        let ended = ended.expect(128 + number)?;
        // By the signal itself, so that a shell stops its script too.
        ensure!(ended.signal == Some(number), "{:?}", ended.signal);
        ensure!(ended.record["changed"] != true, "{}", ended.record);
        subject.check(Which::Old)?;
        ensure!(
            !app.files.path().join(".th-restore").exists(),
            "files are left"
        );
        wait_for(|| Ok(app.server.tool_sessions(&app.database)? == 0))
    })?;
    ensure!(
        stopped >= count / 3,
        "only {stopped} of {count} runs were stopped"
    );
    app.restore(&["apply"])?.expect(0)?;
    subject.check(Which::New)
}

#[test]
fn by_url() -> Result<()> {
    stops_when_told(cluster()?, 12)
}

#[test]
fn in_a_container() -> Result<()> {
    stops_when_told(postgres15()?, 4)
}
