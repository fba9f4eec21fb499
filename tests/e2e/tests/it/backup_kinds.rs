//! Files of every kind: what a set holds comes back, and what it cannot hold is told.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use th_kit::{Store, Tool};

const SPARSE: u64 = 64 << 20;
const MIDDLE: &[u8] = b"middle";

/// A name that is no UTF-8.
fn odd() -> &'static OsStr {
    OsStr::from_bytes(b"odd \xff\xfe name")
}

struct Kinds {
    store: Store,
    files: TempDir,
    _socket: UnixListener,
}

impl Kinds {
    fn new() -> Result<Self> {
        let files = tempfile::tempdir()?;
        let path = |name: &str| files.path().join(name);
        fs::write(path("plain"), "plain")?;
        fs::write(path("shut"), "secret")?;
        fs::set_permissions(path("shut"), Permissions::from_mode(0o000))?;
        let made = Command::new("mkfifo").arg(path("pipe")).status()?;
        ensure!(made.success());
        let socket = UnixListener::bind(path("socket"))?;
        let sparse = File::create(path("sparse"))?;
        sparse.set_len(SPARSE)?;
        sparse.write_all_at(MIDDLE, SPARSE / 2)?;
        fs::write(files.path().join(odd()), "odd")?;
        Ok(Self {
            store: Store::new()?,
            files,
            _socket: socket,
        })
    }

    fn tool(&self, name: &str) -> Result<Tool> {
        let files = ["--files".as_ref(), self.files.path().as_os_str()];
        let tool = self.store.target(Tool::new(name)?).args(files);
        Ok(tool.heeding_permissions())
    }
}

/// Checks what a set can hold.
fn has_all(dir: &Path) -> Result<()> {
    ensure!(fs::read(dir.join("plain"))? == b"plain");
    ensure!(fs::read(dir.join(odd()))? == b"odd");
    let sparse = File::open(dir.join("sparse"))?;
    let (found, mut middle) = (sparse.metadata()?, [0; MIDDLE.len()]);
    sparse.read_exact_at(&mut middle, SPARSE / 2)?;
    ensure!(found.len() == SPARSE && middle == MIDDLE);
    ensure!(found.blocks() * 512 < 1 << 20, "{}", found.blocks());
    Ok(())
}

#[test]
fn every_kind_comes_back_or_is_told() -> Result<()> {
    let kinds = Kinds::new()?;
    let ended = kinds.tool("th-backup")?.run()?.expect(3)?;
    assert_eq!(ended.data()["status"], "degraded", "{}", ended.record);
    assert_eq!(ended.data()["files"]["unreadable_count"], 1);
    let warnings = ended.record["warnings"].to_string();
    for name in ["'shut' cannot be read", "'pipe'", "'socket'"] {
        ensure!(warnings.contains(name), "no {name} in {warnings}");
    }
    let shown = kinds.tool("th-restore")?.args(["show"]).run()?.expect(0)?;
    let files = &shown.data()["manifest"]["files"];
    assert_eq!(files["unreadable"], json!(["shut"]), "{files}");
    assert_eq!(files["count"], 3, "{files}");

    let beside = tempfile::tempdir()?;
    let into = beside.path().join("into");
    let args = ["apply", "--only", "files", "--into"];
    let tool = kinds.tool("th-restore")?.args(args).args([&into]);
    tool.run()?.expect(0)?;
    has_all(&into)?;
    assert_eq!(fs::read_dir(&into)?.count(), 3);

    // Over the live ones: what a set cannot hold stays as it is.
    let live = kinds.files.path();
    fs::remove_file(live.join(odd()))?;
    fs::write(live.join("sparse"), "dense")?;
    let tool = kinds.tool("th-restore")?.args(["apply", "--only", "files"]);
    tool.run()?.expect(0)?;
    has_all(live)?;
    ensure!(live.join("pipe").metadata()?.file_type().is_fifo());
    ensure!(live.join("socket").metadata()?.file_type().is_socket());
    Ok(())
}
