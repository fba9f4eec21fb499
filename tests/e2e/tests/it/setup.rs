//! What most tests start with: shared servers, files, and the tools told what to act on.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Result, anyhow};
use tempfile::TempDir;
use th_kit::{Cluster, ContainerServer, Server, Store, Tool};

/// A server shared by all tests; each has databases of its own in it.
pub(crate) fn cluster() -> Result<&'static Cluster> {
    static SHARED: OnceLock<Result<Cluster>> = OnceLock::new();
    shared(&SHARED, Cluster::start)
}

/// PostgreSQL 15 in a container, shared likewise.
pub(crate) fn postgres15() -> Result<&'static ContainerServer> {
    static SHARED: OnceLock<Result<ContainerServer>> = OnceLock::new();
    shared(&SHARED, || ContainerServer::start(15))
}

/// PostgreSQL 17 in a container, shared likewise.
pub(crate) fn postgres17() -> Result<&'static ContainerServer> {
    static SHARED: OnceLock<Result<ContainerServer>> = OnceLock::new();
    shared(&SHARED, || ContainerServer::start(17))
}

fn shared<T>(cell: &'static OnceLock<Result<T>>, start: fn() -> Result<T>) -> Result<&'static T> {
    cell.get_or_init(start).as_ref().map_err(|error| anyhow!("{error:#}"))
}

/// th-backup of a database into a store.
pub(crate) fn backup(server: &dyn Server, database: &str, store: &Store) -> Result<Tool> {
    Ok(server.target(store.target(Tool::new("th-backup")?), database))
}

/// A directory with a file of each kind that a backup keeps.
pub(crate) fn files() -> Result<TempDir> {
    let dir = tempfile::Builder::new().prefix("th-files-").tempdir()?;
    fill(dir.path())?;
    Ok(dir)
}

fn fill(root: &Path) -> Result<()> {
    fs::create_dir_all(root.join("2026/11"))?;
    fs::create_dir_all(root.join("empty directory"))?;
    fs::write(root.join("2026/11/report.pdf"), vec![7; 300_000])?;
    fs::write(root.join("2026/11/copy of report.pdf"), vec![7; 300_000])?;
    fs::write(root.join("none"), "")?;
    fs::write(root.join("two\nlines ä"), "odd name")?;
    symlink("2026/11/report.pdf", root.join("latest"))?;
    symlink("/nowhere/at/all", root.join("dangling"))?;
    for number in 0..200 {
        fs::write(root.join(format!("2026/{number}.txt")), format!("file {number}\n").repeat(50))?;
    }
    Ok(())
}

/// A table large enough that dumping it takes a while, and a marker.
pub(crate) fn bulk(rows: u32) -> String {
    format!(
        "CREATE TABLE bulk (id int PRIMARY KEY, note text, doc jsonb);
         INSERT INTO bulk SELECT i, repeat(md5(i::text), 8), jsonb_build_object('i', i, 'h', md5(i::text))
         FROM generate_series(1, {rows}) i;
         CREATE TABLE marker (word text); INSERT INTO marker VALUES ('original');"
    )
}
