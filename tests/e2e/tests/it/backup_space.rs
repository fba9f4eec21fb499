//! A store on a full file system.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{Server, Store, Tmpfs, Tool};

use crate::backup_failures::wait_for;
use crate::setup::{backup, cluster, postgres15};

/// Random bytes that no compression makes smaller.
pub(crate) fn noise(path: &Path, megabytes: usize) -> Result<()> {
    let mut dd = Command::new("dd");
    dd.args([
        "if=/dev/urandom",
        "bs=1M",
        "status=none",
        &format!("count={megabytes}"),
    ]);
    ensure!(dd.arg(format!("of={}", path.display())).status()?.success());
    Ok(())
}

/// Runs a backup that must find the disk full, and leave only what was there.
fn finds_it_full(tool: Tool, store: &Store, database: &str, server: &dyn Server) -> Result<()> {
    let before = (
        store.sets()?,
        fs::read_dir(store.path().join("packs"))?.count(),
    );
    let start = Instant::now();
    let ended = tool.run()?.expect(1)?;
    let took = start.elapsed();
    ensure!(ended.kind() == "no_space", "{}", ended.record);
    ensure!(!ended.record["error"]["hint"].is_null(), "{}", ended.record);
    ensure!(ended.record["changed"] == false, "{}", ended.record);
    ensure!(took < Duration::from_secs(10), "it took {took:?}");
    let strays = store.strays()?;
    ensure!(strays.is_empty(), "left in the store: {strays:?}");
    let after = (
        store.sets()?,
        fs::read_dir(store.path().join("packs"))?.count(),
    );
    ensure!(before == after, "{before:?} became {after:?}");
    store.check_whole()?;
    wait_for(|| Ok(server.tool_sessions(database)? == 0))
}

fn leaves_only_whole_sets(server: &dyn Server) -> Result<()> {
    // Small on disk, since pages of it are compressed; large once dumped and not compressed.
    let small = "CREATE TABLE small (x int)";
    let database = server.database_with("full", small)?;
    let disk = Tmpfs::mount("size=12m")?;
    let store = Store::within(disk.path())?;
    let tool = || backup(server, &database, &store);
    tool()?.run()?.expect(0)?;

    // In the dump: the data compresses well in the tables, and not at all in the dump.
    server.psql(
        &database,
        "CREATE TABLE large (x text);
         INSERT INTO large SELECT repeat(i::text, 400000) FROM generate_series(1, 100) i;",
    )?;
    let uncompressed = tool()?.args(["--compression", "none"]);
    finds_it_full(uncompressed, &store, &database, server)?;
    server.psql(&database, "DROP TABLE large")?;

    // In the files.
    let files = tempfile::tempdir()?;
    noise(&files.path().join("noise"), 20)?;
    let with_files = ["--files".as_ref(), files.path().as_os_str()];
    finds_it_full(tool()?.args(with_files), &store, &database, server)?;

    // Before anything is begun.
    disk.fill(0)?;
    finds_it_full(tool()?, &store, &database, server)?;
    disk.lighten()?;

    // Once there is room, it goes on.
    noise(&files.path().join("noise"), 2)?;
    tool()?.args(with_files).run()?.expect(0)?;
    assert_eq!(store.check_whole()?, 2);
    Ok(())
}

#[test]
fn a_full_disk_leaves_only_whole_sets() -> Result<()> {
    leaves_only_whole_sets(cluster()?)
}

#[test]
fn a_full_disk_while_a_container_dumps() -> Result<()> {
    let server = postgres15()?;
    leaves_only_whole_sets(server)?;
    wait_for(|| {
        let processes = server.processes()?;
        Ok(!processes
            .iter()
            .any(|line| line.contains("pg_dump") && line.contains("full_")))
    })
}
