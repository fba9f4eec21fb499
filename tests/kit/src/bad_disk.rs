//! A file system whose disk loses a part of a file.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::reaper::Reaper;

/// The size of the disk.
const BYTES: u64 = 32 << 20;

/// The file system's blocks.
const BLOCK: u64 = 4096;

/// An ext4 on a loop device, unmounted when dropped.
#[derive(Debug)]
pub struct BadDisk {
    dir: PathBuf,
    image: PathBuf,
    _reaper: Reaper,
}

impl BadDisk {
    /// Makes and mounts one, empty and whole.
    ///
    /// # Errors
    /// When this user may not mount.
    pub fn mount() -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("th-bad-disk-")
            .tempdir()?
            .keep();
        let image = dir.with_extension("img");
        let names = [dir.to_str(), image.to_str()].map(|name| name.context("not UTF-8"));
        let [name, image_name] = names;
        let clean_up = r#"cd /; umount -l "$1"; rmdir "$1"; rm -f "$2""#;
        let reaper = Reaper::promise(clean_up, &[name?, image_name?])?;
        File::create(&image)?.set_len(BYTES)?;
        let mut mkfs = Command::new("mkfs.ext4");
        mkfs.args(["-q", "-b", &BLOCK.to_string(), "-O", "^has_journal"]);
        ensure!(mkfs.arg(&image).status()?.success(), "mkfs.ext4 failed");
        let disk = Self {
            dir,
            image,
            _reaper: reaper,
        };
        disk.remount()?;
        Ok(disk)
    }

    /// Returns where it is mounted.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Loses what the file `name` has from its byte `at` on: whoever reads that gets EIO. What was
    /// written after the file is lost too.
    ///
    /// # Errors
    /// Those of umount, debugfs and mount.
    pub fn lose(&self, name: &str, at: u64) -> Result<()> {
        // Nothing of it stays in memory.
        run(Command::new("umount").arg(&self.dir))?;
        let request = format!("bmap /{name} {}", at / BLOCK);
        let block = run(Command::new("debugfs")
            .args(["-R", &request])
            .arg(&self.image))?;
        let block: u64 = block.trim().parse().with_context(|| block.clone())?;
        self.remount()?;
        let image = OpenOptions::new().write(true).open(&self.image)?;
        Ok(image.set_len(block * BLOCK)?)
    }

    fn remount(&self) -> Result<()> {
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).arg(&self.image).arg(&self.dir);
        run(&mut mount).context("this test needs the right to mount: run it as root")?;
        let _ = fs::remove_dir(self.dir.join("lost+found"));
        Ok(())
    }
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {stderr}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
