//! What most tests start with: shared servers, files, and the tools told what to act on.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use anyhow::{Result, anyhow};
use tempfile::TempDir;
use th_kit::{Cluster, ContainerServer, Ended, Server, Store, Tool, Tree, database_state, tree};

use crate::backup_failures::wait_for;

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
    cell.get_or_init(start)
        .as_ref()
        .map_err(|error| anyhow!("{error:#}"))
}

/// th-backup of a database into a store.
pub(crate) fn backup(server: &dyn Server, database: &str, store: &Store) -> Result<Tool> {
    Ok(server.target(store.target(Tool::new("th-backup")?), database))
}

/// A database and files, a store, and the tools told to act on them.
pub(crate) struct App<'a> {
    pub(crate) server: &'a dyn Server,
    pub(crate) database: String,
    pub(crate) store: Store,
    pub(crate) files: TempDir,
}

impl<'a> App<'a> {
    /// Makes a database by `sql`, and files.
    pub(crate) fn new(server: &'a dyn Server, prefix: &str, sql: &str) -> Result<Self> {
        let database = server.database_with(prefix, sql)?;
        Ok(Self {
            server,
            database,
            store: Store::new()?,
            files: files()?,
        })
    }

    /// One of the tools.
    pub(crate) fn tool(&self, name: &str) -> Result<Tool> {
        let tool = self
            .server
            .target(self.store.target(Tool::new(name)?), &self.database);
        Ok(tool.args(["--files".as_ref(), self.files.path().as_os_str()]))
    }

    /// Makes a set, and returns its id.
    pub(crate) fn backup(&self) -> Result<String> {
        let ended = self.tool("th-backup")?.run()?.expect(0)?;
        Ok(ended.data()["set"].as_str().unwrap_or_default().to_owned())
    }

    /// Runs th-restore.
    pub(crate) fn restore(&self, args: &[&str]) -> Result<Ended> {
        self.tool("th-restore")?.args(args).run()
    }

    /// Returns what the database and the files are like; what a restore keeps is left out.
    pub(crate) fn state(&self) -> Result<(String, Tree)> {
        Ok((database_state(self.server, &self.database)?, self.tree()?))
    }

    /// Returns the files.
    pub(crate) fn tree(&self) -> Result<Tree> {
        let mut tree = tree(self.files.path())?;
        tree.retain(|path, _| !path.to_string_lossy().starts_with(".th-"));
        Ok(tree)
    }

    /// Returns the databases that a tool has made beside this one.
    pub(crate) fn beside(&self) -> Result<Vec<String>> {
        let prefix = format!("{}_", self.database);
        let names = self.server.databases()?;
        Ok(names
            .into_iter()
            .filter(|name| name.starts_with(&prefix))
            .collect())
    }
}

/// A directory with a th.toml.
pub(crate) struct Home {
    dir: TempDir,
}

impl Home {
    /// Writes `toml` as the configuration.
    pub(crate) fn new(toml: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("th.toml"), toml)?;
        Ok(Self { dir })
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// One of the tools, told of the configuration.
    pub(crate) fn tool(&self, name: &str) -> Result<Tool> {
        let config = self.path().join("th.toml");
        Ok(Tool::new(name)?.args(["--config".as_ref(), config.as_os_str()]))
    }

    /// Runs th-backup.
    pub(crate) fn backup(&self, args: &[&str]) -> Result<Ended> {
        self.tool("th-backup")?.args(args).run()
    }
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
        fs::write(
            root.join(format!("2026/{number}.txt")),
            format!("file {number}\n").repeat(50),
        )?;
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

/// Does `work` while another session on `database` holds what `lock` takes.
pub(crate) fn while_locked<T>(
    server: &dyn Server,
    database: &str,
    lock: &str,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let ours = "FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' \
                AND datname = current_database() AND pid <> pg_backend_pid()";
    let sleeps = format!("SELECT count(*) {ours} AND wait_event = 'PgSleep'");
    thread::scope(|scope| {
        let hold = format!("BEGIN; {lock}; SELECT pg_sleep(600);");
        let holder = scope.spawn(move || server.psql(database, &hold));
        let held = wait_for(|| Ok(server.psql(database, &sleeps)? == "1"));
        let done = held.and_then(|()| work());
        let end = format!("SELECT pg_terminate_backend(pid) {ours}");
        server.psql(database, &end)?;
        let _ = holder.join();
        done
    })
}
