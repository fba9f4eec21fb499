//! One instant: a set made while the app goes on writing is all of one moment.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use th_kit::{Ended, PASSWORD_IN_URL, Server, tree};

use crate::backup_space::noise;
use crate::setup::{Home, bulk, cluster};

/// What the app has: documents, whose files come before their rows, and numbers from a sequence.
const APP: &str = "
    CREATE TABLE documents (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, path text NOT NULL);
    CREATE TABLE log (number bigint);
    CREATE SEQUENCE numbers;";

/// Adds a document as an app does: the file first, then the row that names it.
fn add(database: &str, files: &Path, number: u32) -> Result<()> {
    let path = format!("new/{number}.txt");
    fs::write(
        files.join(&path),
        format!("document {number}\n").repeat(200),
    )?;
    cluster()?.psql(
        database,
        &format!(
            "BEGIN; INSERT INTO documents (path) VALUES ('{path}');
             INSERT INTO log VALUES (nextval('numbers')); SELECT nextval('numbers');
             UPDATE marker SET word = '{number}'; DELETE FROM bulk WHERE id = {number};
             COMMIT;"
        ),
    )?;
    Ok(())
}

/// Does `work` while a thread adds documents; returns what it made, and how many were added.
fn while_written<T>(
    database: &str,
    files: &Path,
    work: impl FnOnce() -> Result<T>,
) -> Result<(T, u32)> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| -> Result<u32> {
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                count += 1;
                add(database, files, count)?;
            }
            Ok(count)
        });
        let done = work();
        stop.store(true, Ordering::Relaxed);
        let added = writer
            .join()
            .map_err(|_| anyhow::anyhow!("the writer died"))?;
        Ok((done?, added?))
    })
}

fn home(database: &str, files: &Path) -> Result<Home> {
    let url = cluster()?.url(database).replace(PASSWORD_IN_URL, "${PW}");
    let home = Home::new(&format!(
        "app = \"a\"\n[env.test]\nroot = \".\"\nenv_file = \".env\"\n\
         [env.test.database]\nurl = \"{url}\"\n\
         [env.test.files]\nuploads = \"{}\"\nreferences = \"SELECT path FROM documents\"\n\
         [env.test.backup]\nstore = \"store\"\n",
        files.display()
    ))?;
    fs::write(
        home.path().join(".env"),
        format!("PW='{}'\n", th_kit::PASSWORD),
    )?;
    Ok(home)
}

fn restore(home: &Home, only: &str, into: &str) -> Result<Ended> {
    let args = ["apply", "--only", only, "--into", into];
    home.tool("th-restore")?.args(args).run()?.expect(0)
}

/// Returns the sequence that moved while the dump ran, as the manifest has it.
fn moved(home: &Home) -> Result<Value> {
    let shown = home.tool("th-restore")?.args(["show"]).run()?.expect(0)?;
    let print = &shown.data()["manifest"]["database"]["fingerprint"];
    let mut all = print["sequences"].as_array().into_iter().flatten();
    let found = all.find(|it| it["name"] == "numbers");
    found.cloned().context("no sequence")
}

#[test]
fn a_set_made_under_a_writer_is_of_one_instant() -> Result<()> {
    let server = cluster()?;
    let database = server.database_with("instant", &format!("{}{APP}", bulk(20_000)))?;
    let files = tempfile::tempdir()?;
    fs::create_dir(files.path().join("new"))?;
    noise(&files.path().join("noise"), 2)?;
    let home = home(&database, files.path())?;
    // The second finds the files of the first, and rows that came since.
    for _ in 0..2 {
        let (ended, added) = while_written(&database, files.path(), || {
            home.backup(&["--bandwidth", "4M", "--prove", "content"])
        })?;
        let ended = ended.expect(0)?;
        let data = ended.data();
        assert_eq!(data["status"], "complete", "{data}");
        assert_eq!(data["proof"], "content", "{data}");
        assert_eq!(data["references"]["missing_count"], 0, "{data}");
        let referenced = data["references"]["checked"].as_u64();
        let referenced = referenced.context("no count")?;
        // It was written before the snapshot and after it, or nothing was tested.
        ensure!(referenced < u64::from(added), "{referenced} of {added}");
        let numbers = moved(&home)?;
        let value = |key: &str| numbers[key].as_i64();
        ensure!(value("last_value") < value("last_value_after"), "{numbers}");

        // What comes back agrees with itself: rows, numbers, what was deleted, and files.
        let copy = format!("{database}_copy");
        let dir = home.path().join("copy");
        restore(&home, "db", &copy)?;
        restore(&home, "files", &dir.to_string_lossy())?;
        let agrees = format!(
            "SELECT count(*) = {referenced} AND count(*) = (SELECT count(*) FROM log)
                AND count(*) = 20000 - (SELECT count(*) FROM bulk)
                AND count(*) = (SELECT regexp_replace(word, '\\D+', '0')::int FROM marker)
             FROM documents"
        );
        assert_eq!(server.psql(&copy, &agrees)?, "t");
        let found = tree(&dir)?;
        for path in server.psql(&copy, "SELECT path FROM documents")?.lines() {
            ensure!(found.contains_key(Path::new(path)), "no {path}");
        }
        ensure!(ended.record["changed"] == json!(true));
        server.psql("postgres", &format!("DROP DATABASE \"{copy}\""))?;
        fs::remove_dir_all(&dir)?;
        server.psql(
            &database,
            "TRUNCATE documents, log; UPDATE marker SET word = 'original';
             DELETE FROM bulk; INSERT INTO bulk SELECT i FROM generate_series(1, 20000) i;",
        )?;
    }
    Ok(())
}
