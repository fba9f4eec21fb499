//! A disk that dies: files, and packs, that can be read only in part.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Context, Result, ensure};
use th_kit::{BadDisk, Ended, Store, Tool};

const MIB: u64 = 1 << 20;

#[test]
fn a_large_file_that_breaks_off_is_left_out_of_a_degraded_set() -> Result<()> {
    let disk = BadDisk::mount()?;
    fs::write(disk.path().join("large"), vec![7; 8 * MIB as usize])?;
    disk.lose("large", 5 * MIB)?;
    let store = Store::new()?;
    let tool = store.target(Tool::new("th-backup")?);
    let tool = tool.args(["--files".as_ref(), disk.path().as_os_str()]);
    let ended = tool.run()?.expect(3)?;
    let data = ended.data();
    assert_eq!(data["status"], "degraded", "{data}");
    assert_eq!(data["files"]["unreadable_count"], 1, "{data}");
    assert_eq!(data["files"]["stored_bytes"], 0, "{data}");
    let warnings = ended.record["warnings"].to_string();
    ensure!(warnings.contains("'large' cannot be read"), "{warnings}");
    assert_eq!(store.check_whole()?, 1);
    assert_eq!(store.strays()?, Vec::<String>::new());
    assert!(fs::read_dir(store.path().join("packs"))?.next().is_none());
    Ok(())
}

#[test]
fn a_pack_that_breaks_off_is_damaged() -> Result<()> {
    let (disk, store, files) = (BadDisk::mount()?, Store::new()?, tempfile::tempdir()?);
    // Stored as it is, so that the pack is as large.
    fs::write(files.path().join("large"), vec![7; 8 * MIB as usize])?;
    let home = files.path().join("th.toml");
    fs::write(
        &home,
        "app = \"test\"\n[env.test]\nroot = \"/\"\n[env.test.backup]\ncompression = \"none\"\n",
    )?;
    let tool = |name: &str, args: &[&str]| -> Result<Ended> {
        let tool = store.target(Tool::new(name)?);
        let tool = tool.args(["--config".as_ref(), home.as_os_str()]);
        let tool = tool.args(["--files".as_ref(), files.path().as_os_str()]);
        tool.args(args).run()
    };
    tool("th-backup", &[])?.expect(0)?;
    let (packs, lost) = (store.path().join("packs"), disk.path().join("packs"));
    fs::create_dir(&lost)?;
    let pack = fs::read_dir(&packs)?.next().context("no pack")??;
    let name = pack.file_name().to_string_lossy().into_owned();
    fs::copy(pack.path(), lost.join(&name))?;
    fs::remove_dir_all(&packs)?;
    symlink(&lost, &packs)?;
    disk.lose(&format!("packs/{name}"), 5 * MIB)?;

    let ended = tool("th-restore", &["verify"])?.expect(14)?;
    let differences = ended.data()["differences"].to_string();
    ensure!(
        differences.contains(&name) && differences.contains("Input/output error"),
        "{differences}"
    );
    let listed = tool("th-restore", &["list"])?.expect(0)?;
    ensure!(
        listed.stdout.contains("\"proof\":null"),
        "{}",
        listed.stdout
    );
    Ok(())
}
