//! A connection that breaks at the very commit of the switch: whether it went through is asked.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{Cluster, Ended, Running, Server};

use crate::setup::{App, bulk};

/// A commit that waits for a standby which never comes has happened, and its session does not know.
const SYNC: &str = "ALTER SYSTEM SET synchronous_commit = 'on'";
const LOCAL: &str = "ALTER SYSTEM SET synchronous_commit = 'local'";

const HOLDER: &str =
    "query LIKE 'BEGIN; COMMENT%' AND wait_event = 'PgSleep' AND pid <> pg_backend_pid()";

struct Doubt {
    cluster: Cluster,
}

impl Doubt {
    fn new() -> Result<Self> {
        let cluster = Cluster::start()?;
        let settings = [
            LOCAL,
            "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
            "SELECT pg_reload_conf()",
        ];
        for setting in settings {
            cluster.psql("postgres", setting)?;
        }
        Ok(Self { cluster })
    }

    fn ask(&self, query: &str) -> Result<String> {
        self.cluster.psql("postgres", query)
    }

    fn until(&self, query: &str) -> Result<()> {
        let start = Instant::now();
        while self.ask(query)? != "t" {
            ensure!(start.elapsed() < Duration::from_secs(60), "never: {query}");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts the tool and returns when the commit of its renames hangs.
    fn hang(&self, app: &App<'_>, args: &[&str]) -> Result<Running> {
        // A lock on the live database holds the rename up while its commit is prepared to hang.
        let hold = format!(
            "BEGIN; COMMENT ON DATABASE {} IS 'held'; SELECT pg_sleep(100);",
            app.database
        );
        let mut holder = self.cluster.client("psql");
        let holder = holder.args(["-Xqc", &hold, "-d", "postgres"]);
        let mut holder = holder.stderr(Stdio::null()).spawn()?;
        self.until(&format!(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE {HOLDER}"
        ))?;
        let running = app.tool("th-restore")?.args(args).start()?;
        self.until(
            "SELECT count(*) > 0 FROM pg_stat_activity \
             WHERE state = 'active' AND query LIKE 'ALTER DATABASE%RENAME%' AND pid <> pg_backend_pid()",
        )?;
        self.ask(SYNC)?;
        self.ask("SELECT pg_reload_conf()")?;
        self.ask(&format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {HOLDER}"
        ))?;
        holder.wait()?;
        self.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")?;
        Ok(running)
    }

    fn heal(&self) -> Result<()> {
        self.ask(LOCAL)?;
        self.ask("SELECT pg_reload_conf()").map(drop)
    }
}

fn app(cluster: &Cluster) -> Result<App<'_>> {
    let app = App::new(cluster, "doubt", &bulk(500))?;
    app.backup()?;
    cluster.psql(&app.database, "UPDATE marker SET word = 'live'")?;
    std::fs::write(app.files.path().join("2026/1.txt"), "live")?;
    Ok(app)
}

/// Database and files must both be what `word` says.
fn is_wholly(app: &App<'_>, word: &str) -> Result<()> {
    let found = app.server.psql(&app.database, "SELECT word FROM marker")?;
    ensure!(found == word, "the database is {found}, not {word}");
    let live = std::fs::read(app.files.path().join("2026/1.txt"))? == b"live";
    ensure!(
        live == (word == "live"),
        "the database is {word}, the files are not"
    );
    Ok(())
}

fn terminated(doubt: &Doubt, app: &App<'_>, args: &[&str]) -> Result<Ended> {
    let running = doubt.hang(app, args)?;
    doubt.ask(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
    )?;
    doubt.heal()?;
    running.wait()
}

#[test]
fn a_switch_that_went_through_is_finished() -> Result<()> {
    let doubt = Doubt::new()?;
    let app = app(&doubt.cluster)?;
    terminated(&doubt, &app, &["apply"])?.expect(0)?;
    is_wholly(&app, "original")?;
    terminated(&doubt, &app, &["undo"])?.expect(0)?;
    is_wholly(&app, "live")
}

#[test]
fn a_switch_in_doubt_is_settled_by_the_next_run() -> Result<()> {
    let doubt = Doubt::new()?;
    let app = app(&doubt.cluster)?;
    let running = doubt.hang(&app, &["apply"])?;
    doubt.ask(LOCAL)?;
    doubt.cluster.halt()?;
    let ended = running.wait()?.expect(21)?;
    ensure!(ended.kind() == "half_way", "{}", ended.message());
    doubt.cluster.resume()?;
    app.restore(&["gc", "--older-than", "1d"])?.expect(0)?;
    is_wholly(&app, "original")?;
    app.restore(&["undo"])?.expect(0)?;
    is_wholly(&app, "live")
}
