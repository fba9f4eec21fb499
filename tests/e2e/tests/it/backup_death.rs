//! A backup that is killed or told to stop at any moment.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use th_kit::{ContainerServer, Server, Store, Tool};

use crate::backup_failures::wait_for;
use crate::setup::{backup, bulk, cluster, files, postgres15};

const MOMENTS: u32 = 25;

/// A backup that takes about a second.
struct Subject<'a> {
    server: &'a dyn Server,
    database: String,
    store: Store,
    files: TempDir,
}

impl<'a> Subject<'a> {
    fn new(server: &'a dyn Server, prefix: &str) -> Result<Self> {
        let database = server.database_with(prefix, &bulk(40_000))?;
        Ok(Self {
            server,
            database,
            store: Store::new()?,
            files: files()?,
        })
    }

    fn tool(&self) -> Result<Tool> {
        let files = ["--files".as_ref(), self.files.path().as_os_str()];
        Ok(backup(self.server, &self.database, &self.store)?.args(files))
    }

    fn no_sessions(&self) -> Result<()> {
        wait_for(|| Ok(self.server.tool_sessions(&self.database)? == 0))
    }
}

fn survives_kills(server: &dyn Server, container: Option<&ContainerServer>) -> Result<()> {
    let subject = Subject::new(server, "killed")?;
    let start = Instant::now();
    subject.tool()?.run()?.expect(0)?;
    let whole = start.elapsed();
    let mut killed = 0;
    for moment in 0..MOMENTS {
        let running = subject.tool()?.start()?;
        // Spread over the run, and a little more.
        thread::sleep(whole.mul_f64(f64::from(moment + 1) / f64::from(MOMENTS)));
        killed += u32::from(running.kill());
        subject.store.check_whole()?;
        if moment % 5 == 4 {
            subject
                .tool()?
                .args(["--prove", "bytes"])
                .run()?
                .expect(0)?;
            ensure!(
                subject.store.incoming()?.is_empty(),
                "left: {:?}",
                subject.store.incoming()?
            );
            subject.no_sessions()?;
        }
    }
    ensure!(
        killed >= MOMENTS / 3,
        "only {killed} of {MOMENTS} runs were killed"
    );
    let last = subject
        .tool()?
        .args(["--prove", "content"])
        .run()?
        .expect(0)?;
    assert_eq!(last.data()["proof"], "content");
    assert_eq!(subject.store.incoming()?, Vec::<String>::new());
    subject.store.check_whole()?;
    subject.no_sessions()?;
    if let Some(container) = container {
        wait_for(|| {
            Ok(!container
                .processes()?
                .iter()
                .any(|line| line.contains("pg_dump")))
        })?;
    }
    Ok(())
}

#[test]
fn kill_9_by_url() -> Result<()> {
    survives_kills(cluster()?, None)
}

#[test]
fn kill_9_in_a_container() -> Result<()> {
    let server = ContainerServer::start(15)?;
    survives_kills(&server, Some(&server))
}

fn stops_when_told(server: &dyn Server, signal: &str, code: i32) -> Result<()> {
    let subject = Subject::new(server, "told")?;
    for milliseconds in [0, 200, 600] {
        let running = subject.tool()?.args(["--bandwidth", "3M"]).start()?;
        wait_for(|| Ok(!subject.store.incoming()?.is_empty()))?;
        thread::sleep(Duration::from_millis(milliseconds));
        let start = Instant::now();
        running.signal(signal)?;
        let ended = running.wait()?.expect(code)?;
        ensure!(
            start.elapsed() < Duration::from_secs(5),
            "it took {:?}",
            start.elapsed()
        );
        assert_eq!(ended.record["changed"], false);
        assert_eq!(
            (subject.store.sets()?.len(), subject.store.incoming()?.len()),
            (0, 0)
        );
        subject.no_sessions()?;
    }
    Ok(())
}

#[test]
fn sigterm_by_url() -> Result<()> {
    stops_when_told(cluster()?, "TERM", 143)
}

#[test]
fn sigint_in_a_container() -> Result<()> {
    stops_when_told(postgres15()?, "INT", 130)
}
