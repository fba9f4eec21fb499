//! The generated files, and how they differ from those in the work tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Directories that hold generated files and no others.
const OWNED: [&str; 3] = ["man", "completions", "schemas"];

/// Every generated file with its content, by its path in the work tree.
pub(crate) struct Generated {
    root: PathBuf,
    files: BTreeMap<PathBuf, String>,
}

impl Generated {
    /// Starts with nothing, for the work tree at `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            files: BTreeMap::new(),
        }
    }

    /// Reads a file of the work tree that the generated ones are made from.
    pub(crate) fn source(&self, path: &str) -> anyhow::Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, path: impl Into<PathBuf>, content: String) {
        self.files.insert(path.into(), content);
    }

    /// Returns the paths of files that are missing, differ, or should not be there.
    pub(crate) fn stale(&self) -> anyhow::Result<Vec<PathBuf>> {
        let differs = |(path, content): &(&PathBuf, &String)| {
            fs::read(self.root.join(path)).ok().as_deref() != Some(content.as_bytes())
        };
        let mut stale: Vec<PathBuf> = self
            .files
            .iter()
            .filter(differs)
            .map(|(path, _)| path.clone())
            .collect();
        for dir in OWNED {
            self.strangers(Path::new(dir), &mut stale)?;
        }
        Ok(stale)
    }

    /// Writes the files among `stale`, and removes those that should not be there.
    pub(crate) fn write(&self, stale: &[PathBuf]) -> anyhow::Result<()> {
        for path in stale {
            let full = self.root.join(path);
            match self.files.get(path) {
                Some(content) => {
                    fs::create_dir_all(full.parent().context("a file is in a directory")?)?;
                    fs::write(&full, content)?;
                }
                None => fs::remove_file(&full)?,
            }
        }
        Ok(())
    }

    fn strangers(&self, dir: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
        let Ok(entries) = fs::read_dir(self.root.join(dir)) else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry?;
            let path = dir.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.strangers(&path, found)?;
            } else if !self.files.contains_key(&path) {
                found.push(path);
            }
        }
        Ok(())
    }
}
