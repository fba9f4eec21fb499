//! A store on a full file system.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use tempfile::TempDir;
use th_kit::{Server, Tool};

use crate::setup::cluster;

/// A file system of its own, unmounted when dropped.
pub(crate) struct Tmpfs {
    dir: TempDir,
}

impl Tmpfs {
    pub(crate) fn mount(size: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(dir.path());
        ensure!(
            mount.status()?.success(),
            "this test needs the right to mount a tmpfs"
        );
        Ok(Self { dir })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

/// Random bytes that no compression makes smaller.
fn noise(path: &Path, megabytes: usize) -> Result<()> {
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

fn names(dir: &Path) -> usize {
    fs::read_dir(dir).map_or(0, Iterator::count)
}

#[test]
fn a_full_disk_leaves_only_whole_sets() -> Result<()> {
    let server = cluster()?;
    // Small on disk, since pages of it are compressed; large once dumped and not compressed.
    let small = "CREATE TABLE small (x int)";
    let database = server.database_with("full", small)?;
    let disk = Tmpfs::mount("12m")?;
    let store = disk.path().join("store");
    let tool = || -> Result<Tool> {
        let tool = Tool::new("th-backup")?.args(["--store".as_ref(), store.as_os_str()]);
        Ok(server.target(tool, &database))
    };
    tool()?.run()?.expect(0)?;

    // In the dump: the data compresses well in the tables, and not at all in the dump.
    server.psql(
        &database,
        "CREATE TABLE large (x text);
         INSERT INTO large SELECT repeat(i::text, 400000) FROM generate_series(1, 100) i;",
    )?;
    let ended = tool()?.args(["--compression", "none"]).run()?.expect(1)?;
    assert_eq!(ended.kind(), "no_space", "{}", ended.record);
    assert_eq!(
        (names(&store.join("sets")), names(&store.join("incoming"))),
        (1, 0)
    );
    server.psql(&database, "DROP TABLE large")?;

    // In the files.
    let files = tempfile::tempdir()?;
    noise(&files.path().join("noise"), 20)?;
    let with_files = ["--files".as_ref(), files.path().as_os_str()];
    let ended = tool()?.args(with_files).run()?.expect(1)?;
    assert_eq!(ended.kind(), "no_space", "{}", ended.record);
    assert_eq!(
        (names(&store.join("sets")), names(&store.join("incoming"))),
        (1, 0)
    );
    assert_eq!(names(&store.join("packs")), 0);

    // Once there is room, it goes on.
    noise(&files.path().join("noise"), 2)?;
    tool()?.args(with_files).run()?.expect(0)?;
    assert_eq!(names(&store.join("sets")), 2);
    Ok(())
}
