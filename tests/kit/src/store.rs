//! A store in a temporary directory, looked at without the tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::Tool;

/// A directory for a store, gone when dropped.
#[derive(Debug)]
pub struct Store {
    dir: TempDir,
}

impl Store {
    /// Names a store that does not exist yet.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new() -> Result<Self> {
        Ok(Self {
            dir: tempfile::Builder::new().prefix("th-store-").tempdir()?,
        })
    }

    /// Names one in `parent`, such as a small file system.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn within(parent: &Path) -> Result<Self> {
        Ok(Self {
            dir: tempfile::Builder::new()
                .prefix("th-store-")
                .tempdir_in(parent)?,
        })
    }

    /// Returns the path of the store.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// Tells `tool` to use this store.
    pub fn target(&self, tool: Tool) -> Tool {
        tool.args(["--store".as_ref(), self.path().as_os_str()])
    }

    /// Returns the ids of the sets, oldest first.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sets(&self) -> Result<Vec<String>> {
        names(&self.path().join("sets"))
    }

    /// Returns the directory of a set.
    pub fn set(&self, id: &str) -> PathBuf {
        self.path().join("sets").join(id)
    }

    /// Returns the manifest of a set.
    ///
    /// # Errors
    /// Those of the file system; a manifest that is not JSON.
    pub fn manifest(&self, id: &str) -> Result<Value> {
        let path = self.set(id).join("manifest.json");
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }

    /// Checks with sha256sum that every set is whole, and returns how many there are.
    ///
    /// # Errors
    /// What is not whole.
    pub fn check_whole(&self) -> Result<usize> {
        let sets = self.sets()?;
        for id in &sets {
            check(&self.set(id), &["--quiet", "SHA256SUMS"], "")?;
            let manifest = self.manifest(id).with_context(|| id.clone())?;
            let packs = manifest["files"]["packs"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let sums: String = packs
                .iter()
                .filter_map(|pack| {
                    let (sum, name) = (pack["sha256"].as_str()?, pack["name"].as_str()?);
                    Some(format!("{sum}  packs/{name}\n"))
                })
                .collect();
            if !sums.is_empty() {
                check(&self.path(), &["--quiet", "-"], &sums)?;
            }
        }
        Ok(sets.len())
    }

    /// Returns what lies in `incoming/`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn incoming(&self) -> Result<Vec<String>> {
        names(&self.path().join("incoming"))
    }

    /// Returns what is in the store and its state that no finished run leaves there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn strays(&self) -> Result<Vec<String>> {
        let mut strays = self.incoming()?;
        for name in names(&self.path())? {
            if !["incoming", "packs", "sets", "state", "store.json"].contains(&&*name) {
                strays.push(name);
            }
        }
        for name in names(&self.path().join("state"))? {
            if !["journal.jsonl", "lock", "restore.json"].contains(&&*name) {
                strays.push(format!("state/{name}"));
            }
        }
        for set in self.sets()? {
            for name in names(&self.set(&set))? {
                let manifest = self.manifest(&set)?;
                let mut objects = manifest["objects"].as_array().into_iter().flatten();
                let known = ["manifest.json", "proof.json", "SHA256SUMS"].contains(&&*name)
                    || objects.any(|object| object["name"] == *name);
                if !known {
                    strays.push(format!("sets/{set}/{name}"));
                }
            }
        }
        Ok(strays)
    }

    /// Returns the journal of runs that were given flags alone.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn journal(&self) -> Result<String> {
        let state = self.path().join("state");
        let mut text = String::new();
        for name in names(&state)? {
            if name.contains("journal") {
                text.push_str(&fs::read_to_string(state.join(name))?);
            }
        }
        Ok(text)
    }
}

fn names(dir: &Path) -> Result<Vec<String>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = fs::read_dir(dir)?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

fn check(dir: &Path, args: &[&str], sums: &str) -> Result<()> {
    let list = dir.join(".sums");
    let mut command = Command::new("sha256sum");
    command.arg("-c").args(args).current_dir(dir);
    if !sums.is_empty() {
        fs::write(&list, sums)?;
        command.stdin(fs::File::open(&list)?);
        fs::remove_file(&list)?;
    }
    let output = command.output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} is not whole: {stdout}{stderr}",
        dir.display()
    );
    Ok(())
}
