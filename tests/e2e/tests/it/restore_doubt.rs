//! A connection that breaks at the very commit of the switch: whether it went through is asked.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use th_kit::{Cluster, Ended, Running, Server};

use crate::setup::{App, bulk, cluster};

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
    ensure!(ended.record["changed"] == true, "{}", ended.record);
    doubt.cluster.resume()?;
    // It drops nothing, but finishes what is half way.
    let ended = app.restore(&["gc", "--older-than", "1d"])?.expect(0)?;
    ensure!(ended.record["changed"] == true, "{}", ended.record);
    is_wholly(&app, "original")?;
    app.restore(&["undo"])?.expect(0)?;
    is_wholly(&app, "live")
}

/// What is half way stays so for whoever cannot finish it, also for a command that needs no server.
#[test]
fn what_cannot_be_finished_is_half_way_for_the_next_run_too() -> Result<()> {
    let app = App::new(cluster()?, "stuck", &bulk(10))?;
    let set = app.backup()?;
    let state = app.store.path().join("state");
    // Its databases are renamed, and its list of moves is gone.
    let pending = json!({
        "restore": {
            "id": "20261123T020000Z-7f3a",
            "set": set,
            "database": {"live": app.database, "next": "no_such_database", "kept": null},
            "roots": [app.files.path()],
        },
        "phase": "switching",
        "undo": false,
    });
    std::fs::write(state.join("restore.pending.json"), pending.to_string())?;
    for args in [&["gc"][..], &["verify", "--level", "bytes"]] {
        let ended = app.restore(args)?.expect(21)?;
        ensure!(ended.message().contains("moves"), "{}", ended.message());
        ensure!(ended.message().contains("th-restore gc"));
    }
    // Once the list is there, the next run goes on; what it was asked for fails all the same.
    let aside = app.files.path().join(".th-restore/20261123T020000Z-7f3a");
    std::fs::create_dir_all(&aside)?;
    std::fs::write(aside.join("moves"), "")?;
    let ended = app.restore(&["apply", "--only", "files", "--into", "/proc"])?;
    let ended = ended.expect(3)?;
    ensure!(ended.record["changed"] == true, "{}", ended.record);
    ensure!(ended.record["error"]["done"][0].to_string().contains(&set));
    ensure!(!state.join("restore.pending.json").exists());
    Ok(())
}
