//! A restore onto a full file system: nothing is half done.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use th_kit::{Cluster, ContainerServer, Ended, Server, Store, Tmpfs, Tool, Tree, tree};

use crate::backup_failures::wait_for;
use crate::setup::{App, bulk, cluster};

/// Files on a file system of their own, changed since they were backed up.
struct Small {
    disk: Tmpfs,
    store: Store,
    old: Tree,
    new: Tree,
}

impl Small {
    fn new() -> Result<Self> {
        let disk = Tmpfs::mount("size=16m,nr_inodes=4k")?;
        let root = disk.path();
        for dir in ["a", "b/c", "gone"] {
            fs::create_dir_all(root.join(dir))?;
            for number in 0..3 {
                fs::write(root.join(dir).join(number.to_string()), vec![1; 6_000])?;
            }
        }
        fs::write(root.join("was a file"), "file")?;
        let new = tree(root)?;
        let store = Store::new()?;
        files_tool(&store, &disk, "th-backup")?.run()?.expect(0)?;
        fs::write(root.join("a/0"), "changed")?;
        fs::write(root.join("b/c/1"), "changed")?;
        fs::write(root.join("b/newer"), "newer")?;
        fs::remove_dir_all(root.join("gone"))?;
        fs::remove_file(root.join("a/2"))?;
        fs::remove_file(root.join("was a file"))?;
        fs::create_dir(root.join("was a file"))?;
        let old = tree(root)?;
        Ok(Self {
            disk,
            store,
            old,
            new,
        })
    }

    /// Restores the files again and again, each time with a little more room, until it succeeds.
    /// Returns the exit statuses before that.
    fn with_ever_more(&self, room: impl Fn(u64) -> String) -> Result<BTreeSet<i32>> {
        let mut codes = BTreeSet::new();
        for step in 0..200 {
            self.disk.resize(&room(step))?;
            let ended = files_tool(&self.store, &self.disk, "th-restore")?
                .args(["apply"])
                .run()?;
            if ended.code == 0 {
                let mut found = tree(self.disk.path())?;
                found.retain(|path, _| !path.starts_with(".th-restore"));
                ensure!(found == self.new, "it says it is done");
                return Ok(codes);
            }
            codes.insert(ended.code);
            ensure!(is_old(&self.disk, &self.old)?, "{step}: {}", ended.record);
            let strays = self.store.strays()?;
            ensure!(strays.is_empty(), "{step}: left: {strays:?}");
            ensure!(says_full(&ended), "{step}: {}", ended.record);
        }
        anyhow::bail!("it never had enough room: {codes:?}")
    }
}

fn files_tool(store: &Store, disk: &Tmpfs, name: &str) -> Result<Tool> {
    let tool = store.target(Tool::new(name)?);
    Ok(tool.args(["--files".as_ref(), disk.path().as_os_str()]))
}

fn is_old(disk: &Tmpfs, old: &Tree) -> Result<bool> {
    Ok(tree(disk.path())? == *old)
}

/// Whether the record says that there is no space, whatever came of it.
fn says_full(ended: &Ended) -> bool {
    let message = ended.message().to_lowercase();
    message.contains("no space") || message.contains("free")
}

#[test]
fn files_when_any_inode_is_the_last() -> Result<()> {
    let small = Small::new()?;
    let used = small.disk.inodes()?;
    let codes = small.with_ever_more(|step| format!("nr_inodes={}", used + step))?;
    // While they are written beside the live ones, and while they are moved.
    assert_eq!(codes, BTreeSet::from([1, 20]));
    Ok(())
}

#[test]
fn files_when_any_page_is_the_last() -> Result<()> {
    let small = Small::new()?;
    let used = 16 * 1024 - small.disk.free_kib()?;
    let codes = small.with_ever_more(|step| format!("size={}k", used + 4 * step))?;
    assert!(codes.is_subset(&BTreeSet::from([1, 13])), "{codes:?}");
    assert!(codes.contains(&1), "{codes:?}");
    Ok(())
}

/// The databases are switched before the files, so they are switched back.
#[test]
fn a_database_whose_files_cannot_be_moved() -> Result<()> {
    let disk = Tmpfs::mount("size=16m,nr_inodes=4k")?;
    let mut app = App::new(cluster()?, "switched", &bulk(300))?;
    app.files = tempfile::tempdir_in(disk.path())?;
    // In directories: what is replaced needs one beside it too, and more than staging has freed.
    let write = |text: &str| -> Result<()> {
        for number in 0..4 {
            let dir = app.files.path().join(number.to_string());
            fs::create_dir_all(&dir)?;
            fs::write(dir.join("file"), text)?;
        }
        Ok(())
    };
    write("new")?;
    app.backup()?;
    write("old")?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    let old = app.state()?;
    let before = disk.inodes()?;
    let crowded = (before..before + 30).find(|inodes| {
        let found = disk.resize(&format!("nr_inodes={inodes}"));
        let ended = found.and_then(|()| app.restore(&["apply", "--only", "files"]));
        ended.is_ok_and(|ended| ended.code == 20)
    });
    crowded.context("there was always too little or enough room")?;
    let ended = app.restore(&["apply"])?.expect(20)?;
    assert_eq!(ended.kind(), "rolled_back");
    assert!(!ended.record["error"]["hint"].is_null(), "{}", ended.record);
    assert!(says_full(&ended), "{}", ended.record);
    assert!(app.state()? == old, "what was live is not live");
    assert_eq!(app.beside()?, Vec::<String>::new());
    assert_eq!(app.store.strays()?, Vec::<String>::new());
    assert!(!app.files.path().join(".th-restore").exists());

    disk.resize("nr_inodes=4k")?;
    app.restore(&["apply"])?.expect(0)?;
    assert_eq!(fs::read(app.files.path().join("3/file"))?, b"new");
    Ok(())
}

/// The dump compresses well, and is spooled uncompressed beside the store.
#[test]
fn a_store_that_has_no_room_for_the_spool_or_the_state() -> Result<()> {
    let disk = Tmpfs::mount("size=64m")?;
    let sql =
        "CREATE TABLE wide AS SELECT repeat(i::text, 50000) AS x FROM generate_series(1, 100) i;
               CREATE TABLE marker AS SELECT 'original' AS word;";
    let mut app = App::new(cluster()?, "spool", sql)?;
    app.store = Store::within(disk.path())?;
    app.backup()?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    let old = app.state()?;
    let unchanged = || -> Result<()> {
        ensure!(app.state()? == old, "what was live is not live");
        ensure!(app.beside()?.is_empty(), "left: {:?}", app.beside()?);
        let strays = app.store.strays()?;
        ensure!(strays.is_empty(), "left in the store: {strays:?}");
        ensure!(
            !app.files.path().join(".th-restore").exists(),
            "files are left"
        );
        Ok(())
    };

    // Seen before anything is begun.
    disk.fill(2_000)?;
    let ended = app.restore(&["apply"])?.expect(13)?;
    assert!(says_full(&ended), "{}", ended.record);
    unchanged()?;

    // Not even the state can be noted.
    disk.fill(0)?;
    let ended = app.restore(&["apply", "--only", "files"])?.expect(1)?;
    assert_eq!(ended.kind(), "no_space", "{}", ended.record);
    assert!(!ended.record["error"]["hint"].is_null(), "{}", ended.record);
    unchanged()?;
    let ended = app.restore(&["verify", "--level", "bytes"])?.expect(0)?;
    let warnings = ended.record["warnings"].to_string();
    assert!(warnings.contains("is not noted"), "{}", ended.record);
    unchanged()?;

    // Once it has begun, somebody else takes the room.
    disk.lighten()?;
    let pending = app.store.path().join("state/restore.pending.json");
    let tool = app.tool("th-restore")?.args(["apply", "--only", "db"]);
    let running = tool.start()?;
    wait_for(|| Ok(pending.exists()))?;
    running.signal("STOP")?;
    disk.fill(0)?;
    running.signal("CONT")?;
    let ended = running.wait()?.expect(1)?;
    assert_eq!(ended.kind(), "no_space", "{}", ended.record);
    unchanged()?;

    disk.lighten()?;
    app.restore(&["apply"])?.expect(0)?;
    assert_eq!(
        app.server.psql(&app.database, "SELECT word FROM marker")?,
        "original"
    );
    Ok(())
}

/// Narrow rows and their indexes take thirty times the room that they take in a dump, so that the
/// restore passes the check of what it will need.
#[test]
fn a_server_that_fills_up() -> Result<()> {
    let disk = Tmpfs::mount("size=160m")?;
    let server = Cluster::start_on(&disk)?;
    let sql = "CREATE TABLE narrow AS SELECT i FROM generate_series(1, 150000) i;
               CREATE INDEX ON narrow (i); CREATE INDEX ON narrow (i); CREATE INDEX ON narrow (i);
               CREATE INDEX ON narrow (i); CREATE INDEX ON narrow (i); CREATE INDEX ON narrow (i);
               CREATE TABLE marker AS SELECT 'original' AS word;";
    let app = App::new(&server, "crowded", sql)?;
    app.backup()?;
    server.psql(&app.database, "UPDATE marker SET word = 'live'")?;
    let old = app.state()?;
    // Too little for an empty database, which takes 7 MB; then for the table and its indexes.
    for leave in [4_500, 9_000] {
        for command in ["apply", "verify"] {
            // What was dropped takes room until then.
            server.psql("postgres", "CHECKPOINT")?;
            disk.fill(leave)?;
            let ended = app.restore(&[command])?;
            disk.lighten()?;
            ensure!(
                ended.code == 1 && says_full(&ended),
                "{command} with {leave} KiB: exit {} {}",
                ended.code,
                ended.record
            );
            ensure!(app.state()? == old, "what was live is not live");
            ensure!(app.beside()?.is_empty(), "left: {:?}", app.beside()?);
            ensure!(app.store.strays()?.is_empty(), "{:?}", app.store.strays()?);
        }
    }
    let dir = app.files.path().join(".th-restore");
    assert!(!dir.exists(), "files are left");
    app.restore(&["apply"])?.expect(0)?;
    Ok(())
}

#[test]
fn a_directory_that_is_restored_into() -> Result<()> {
    let app = App::new(cluster()?, "narrow", &bulk(10))?;
    app.backup()?;
    let disk = Tmpfs::mount("size=400k")?;
    let target = disk.path().join("target");
    let into = target.to_string_lossy().into_owned();
    let restore = || app.restore(&["apply", "--only", "files", "--into", &into]);
    // Too few bytes are known beforehand, too few inodes are not.
    for (size, code) in [("size=400k", 13), ("size=8m,nr_inodes=50", 1)] {
        disk.resize(size)?;
        let ended = restore()?.expect(code)?;
        assert!(says_full(&ended), "{}", ended.record);
        let left = fs::read_dir(&target).map_or(0, Iterator::count);
        assert_eq!(left, 0, "files are left in it");
    }
    disk.resize("size=8m,nr_inodes=5000")?;
    restore()?.expect(0)?;
    assert!(tree(&target)? == app.tree()?, "the files differ");
    Ok(())
}

/// `pg_restore -j` needs a file: in a container it is in a temporary directory there.
#[test]
fn a_container_without_room_for_the_dump() -> Result<()> {
    let server = ContainerServer::with_tmp(15, "4m")?;
    let app = App::new(&server, "spool", &bulk(20_000))?;
    app.tool("th-backup")?
        .args(["--prove", "none"])
        .run()?
        .expect(0)?;
    let live = app.state()?;
    let ended = app.restore(&["apply", "--only", "db"])?.expect(13)?;
    let message = ended.message();
    ensure!(message.contains("'/tmp' needs about"), "{message}");
    ensure!(app.state()? == live, "what is live was touched");
    assert_eq!(app.beside()?, Vec::<String>::new());
    Ok(())
}
