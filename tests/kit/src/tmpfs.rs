//! A file system of its own, small enough to fill.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::reaper::Reaper;

/// A tmpfs, unmounted when dropped.
#[derive(Debug)]
pub struct Tmpfs {
    dir: PathBuf,
    _reaper: Reaper,
}

impl Tmpfs {
    /// Mounts one with `options`, such as `size=12m`.
    ///
    /// # Errors
    /// When this user may not mount.
    pub fn mount(options: &str) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("th-tmpfs-")
            .tempdir()?
            .keep();
        // A server that is being stopped may still have files there.
        let clean_up = r#"cd /; umount -l "$1"; rmdir "$1""#;
        let reaper = Reaper::promise(clean_up, &[dir.to_str().context("not UTF-8")?])?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]);
        ensure!(
            mount.arg(&dir).status()?.success(),
            "this test needs the right to mount a tmpfs: run it as root"
        );
        Ok(Self {
            dir,
            _reaper: reaper,
        })
    }

    /// Changes its size or its number of inodes while it is in use.
    ///
    /// # Errors
    /// When more than that is in use.
    pub fn resize(&self, options: &str) -> Result<()> {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]);
        ensure!(mount.arg(self.path()).status()?.success(), "{options}");
        Ok(())
    }

    /// Returns where it is mounted.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Returns how many inodes are in use.
    ///
    /// # Errors
    /// Those of `df`.
    pub fn inodes(&self) -> Result<u64> {
        self.used("--output=iused")
    }

    /// Returns how many KiB are free.
    ///
    /// # Errors
    /// Those of `df`.
    pub fn free_kib(&self) -> Result<u64> {
        self.used("--output=avail")
    }

    fn used(&self, column: &str) -> Result<u64> {
        let output = Command::new("df")
            .args(["-k", column])
            .arg(self.path())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = text.split_whitespace().last().context("df says nothing")?;
        Ok(last.parse()?)
    }

    /// Writes a file called `ballast` that leaves only so much free.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn fill(&self, leave_kib: u64) -> Result<()> {
        self.lighten()?;
        let mut ballast = File::create(self.path().join("ballast"))?;
        let page = [0; 4096];
        for _ in 0..self.free_kib()?.saturating_sub(leave_kib) / 4 {
            match ballast.write_all(&page) {
                // Somebody else was quicker: it is full all the same.
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                other => other?,
            }
        }
        Ok(())
    }

    /// Removes what [`Tmpfs::fill`] wrote.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lighten(&self) -> Result<()> {
        match fs::remove_file(self.path().join("ballast")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}
