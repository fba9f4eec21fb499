//! A database that does not answer: users do not wait for it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{Cluster, Server, SlotApp};

use crate::backup_failures::wait_for;
use crate::swap_database::{HEAD, with_database};
use crate::swap_death::kill_in;

const RELEASE: [&str; 5] = ["to", "--tag", "v2", "--hold", "120s"];

/// A session that has locked the table with the head.
struct Lock(Child);

impl Lock {
    fn take(cluster: &Cluster, database: &str) -> Result<Self> {
        let mut session = cluster.client("psql");
        session.args(["-qX", "-d", database]);
        session.args([
            "-c",
            "BEGIN; LOCK TABLE alembic_version; SELECT pg_sleep(300)",
        ]);
        let lock = Self(session.stdout(Stdio::null()).spawn()?);
        let granted = "SELECT count(*) FROM pg_locks WHERE granted \
                       AND mode = 'AccessExclusiveLock' AND relation = 'alembic_version'::regclass";
        wait_for(|| Ok(cluster.psql(database, granted)? == "1"))?;
        Ok(lock)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server whose postmaster takes connections and says nothing.
struct Paused(String);

impl Paused {
    fn pause(cluster: &Cluster) -> Result<Self> {
        let pid = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
        let paused = Self(cluster.psql("postgres", pid)?);
        ensure!(paused.signal("-STOP")?, "no postmaster");
        Ok(paused)
    }

    fn signal(&self, signal: &str) -> Result<bool> {
        Ok(Command::new("kill")
            .args([signal, &self.0])
            .status()?
            .success())
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let _ = self.signal("-CONT");
    }
}

fn app(cluster: &Cluster) -> Result<(SlotApp, String)> {
    let database = cluster.database_with("swap", HEAD)?;
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    let first = app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(first.data()["head"], "0007");
    Ok((app, database))
}

#[test]
fn a_lock_on_the_table_with_the_head_keeps_nobody() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let (app, database) = app(cluster)?;
    let _lock = Lock::take(cluster, &database)?;
    let second = app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    ensure!(second.data()["head"].is_null(), "{}", second.record);
    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    for ended in [second, back] {
        let warnings = ended.record["warnings"].to_string();
        ensure!(warnings.contains("statement timeout"), "{warnings}");
    }
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}

#[test]
fn a_server_that_says_nothing_keeps_nobody() -> Result<()> {
    let cluster = Cluster::start()?;
    let (app, _) = app(&cluster)?;
    kill_in(&app, &RELEASE, "holding")?;
    let _paused = Paused::pause(&cluster)?;
    let start = Instant::now();
    let back = app.swap(&["rollback"])?.start()?;
    wait_for(|| Ok(app.lanes()? == ["blue"]))?;
    ensure!(start.elapsed() < Duration::from_secs(12), "users waited");
    let warnings = back.wait()?.expect(0)?.record["warnings"].to_string();
    ensure!(
        warnings.contains("does not answer within 5 s"),
        "{warnings}"
    );
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}
