//! A restore beside the live that is killed: what was asked for is there whole, or not at all.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;
use th_kit::{Cluster, Moments, Pace, Server, tree};

use crate::backup_failures::wait_for;
use crate::setup::{App, bulk, postgres15};

/// Runs `th-restore apply` with `args` again and again and kills it. `is_whole` tells whether what
/// it makes is there, and fails when it is there in part; `remove` removes it.
fn killed(
    app: &App<'_>,
    args: &[&str],
    count: u32,
    is_whole: &dyn Fn() -> Result<bool>,
    remove: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let args = [&["apply"], args].concat();
    let start = Instant::now();
    app.restore(&args)?.expect(0)?;
    let mut pace = Pace::of(start.elapsed());
    ensure!(is_whole()?, "{args:?} has made nothing");
    remove()?;
    let (mut died, mut partly) = (0, 0);
    Moments::new().each(count, |_, moments| {
        let mut running = app.tool("th-restore")?.args(&args).start()?;
        // The later part of a run, which writes, gets more of the moments.
        pace.wait(&mut running, 1.05 * moments.share().sqrt());
        died += u32::from(running.kill());
        // Whoever comes next tidies up, and finds nothing else to do.
        app.restore(&["gc"])?.expect(0)?;
        let beside = app.beside()?;
        let scratch = beside.iter().find(|name| name.contains("_restore_"));
        ensure!(scratch.is_none(), "left: {scratch:?}");
        let note = app.store.path().join("state/restore.beside.json");
        ensure!(!note.exists(), "the note is left");
        if is_whole()? {
            partly += 1;
            remove()?;
        }
        app.restore(&args)?.expect(0)?;
        ensure!(is_whole()?, "it is not there after a run that did not die");
        remove()
    })?;
    ensure!(died >= count / 3, "only {died} of {count} runs were killed");
    ensure!(partly < count, "none was killed before it was done");
    Ok(())
}

fn database(server: &dyn Server, count: u32, table: Option<&str>) -> Result<()> {
    let app = App::new(server, "besidedeath", &bulk(4_000))?;
    app.backup()?;
    let into = format!("{}_asked", app.database);
    let mut args = vec!["--only", "db", "--into", &into];
    args.extend(table.into_iter().flat_map(|table| ["--table", table]));
    let is_whole = || -> Result<bool> {
        if !server.databases()?.contains(&into) {
            return Ok(false);
        }
        let rows = server.psql(&into, "SELECT count(*) FROM bulk")?;
        ensure!(rows == "4000", "half of it is there: {rows}");
        Ok(true)
    };
    let remove = || {
        let drop = format!("DROP DATABASE \"{into}\"");
        wait_for(|| Ok(server.tool_sessions(&into)? == 0))?;
        server.psql("postgres", &drop).map(std::mem::drop)
    };
    killed(&app, &args, count, &is_whole, &remove)
}

#[test]
fn a_database_by_url() -> Result<()> {
    database(&Cluster::start()?, 6, None)
}

#[test]
fn a_database_in_a_container() -> Result<()> {
    database(postgres15()?, 2, None)
}

#[test]
fn a_table_into_a_database_of_its_own() -> Result<()> {
    database(&Cluster::start()?, 4, Some("public.bulk"))
}

/// Fills `target` again and again, which is there already if `made` is not given.
fn directory(app: &App<'_>, target: &Path, made: bool) -> Result<()> {
    let whole = tree(app.files.path())?;
    let into = target.to_string_lossy().into_owned();
    let is_whole = || -> Result<bool> {
        let found = match fs::read_dir(target) {
            Ok(mut entries) => entries.next().is_some(),
            Err(_) => {
                ensure!(made, "the directory is gone, which was there before");
                return Ok(false);
            }
        };
        ensure!(!found || tree(target)? == whole, "half of it is there");
        ensure!(found || !made, "an empty directory is left");
        Ok(found)
    };
    let remove = || -> Result<()> {
        fs::remove_dir_all(target)?;
        if !made {
            fs::create_dir(target)?;
        }
        Ok(())
    };
    killed(
        app,
        &["--only", "files", "--into", &into],
        8,
        &is_whole,
        &remove,
    )
}

#[test]
fn a_directory_that_is_there_or_not() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "besidedeath", &bulk(10))?;
    app.backup()?;
    let beside = tempfile::tempdir()?;
    directory(&app, &beside.path().join("missing"), true)?;
    let there = beside.path().join("there");
    fs::create_dir(&there)?;
    directory(&app, &there, false)
}

/// What the note says of the dead run decides; what came to be there meanwhile stays.
#[test]
fn what_a_dead_run_was_filling_is_finished_or_removed() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "besidenote", &bulk(10))?;
    app.backup()?;
    let (id, target) = ("20261123T020000Z-7f3a", tempfile::tempdir()?);
    let root = target.path();
    let state = app.store.path().join("state/restore.beside.json");
    let die = |phase: &str, made: bool| -> Result<()> {
        let new = root.join(".th-restore").join(id).join("new");
        fs::create_dir_all(new.join("dir"))?;
        fs::write(new.join("dir/file"), "theirs")?;
        let note = json!({"directory": {"root": root, "id": id, "made": made, "phase": phase}});
        Ok(fs::write(&state, note.to_string())?)
    };
    let names = || -> Result<Vec<String>> {
        let names = fs::read_dir(root)?.map(|it| Ok(it?.file_name().to_string_lossy().into()));
        names.collect()
    };
    die("staging", true)?;
    fs::write(root.join("mine"), "mine")?;
    let ended = app.restore(&["gc"])?.expect(0)?;
    ensure!(ended.record["warnings"].to_string().contains("dead run"));
    assert_eq!(names()?, ["mine"]);
    fs::remove_file(root.join("mine"))?;

    die("switching", false)?;
    fs::create_dir(root.join("moved"))?;
    let ended = app.restore(&["verify", "--level", "bytes"])?.expect(0)?;
    assert_eq!(ended.record["changed"], true, "{}", ended.record);
    assert_eq!(fs::read(root.join("dir/file"))?, b"theirs");
    ensure!(!root.join(".th-restore").exists() && !state.exists());

    // Another file has its name now: told of, and in the way of nothing.
    die("switching", false)?;
    let ended = app.restore(&["gc"])?.expect(0)?;
    ensure!(ended.record["warnings"].to_string().contains("not empty"));
    app.backup()?;
    Ok(())
}

#[test]
fn a_schema_that_was_made_for_a_table() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "besideschema", &bulk(10))?;
    app.backup()?;
    let state = app.store.path().join("state/restore.beside.json");
    let other = server.database_with("besideschema", "CREATE SCHEMA a; CREATE SCHEMA b")?;
    server.psql(&other, "CREATE TABLE b.t ()")?;
    for schema in ["a", "b", "c"] {
        let note = json!({"schema": {"database": other, "schema": schema}});
        fs::write(&state, note.to_string())?;
        app.restore(&["gc"])?.expect(0)?;
        ensure!(!state.exists(), "{schema}: the note is left");
    }
    let names = "SELECT string_agg(nspname, ' ') FROM pg_namespace WHERE length(nspname) = 1";
    assert_eq!(server.psql(&other, names)?, "b");
    Ok(())
}
