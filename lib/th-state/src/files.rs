//! The state directory and the small files in it.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use th_archive::atomic;

use crate::{Error, Journal, Lock};

/// The state directory of one environment.
#[derive(Debug, Clone)]
pub struct State {
    dir: PathBuf,
}

impl State {
    /// Uses `dir`, which need not exist yet.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Creates the directory, readable by its owner alone. What is above it is for others too.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(&self) -> Result<(), Error> {
        let parent = self.dir.parent().unwrap_or(Path::new("/"));
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        fs::create_dir_all(parent)
            .and_then(|()| private.create(&self.dir))
            .map_err(|source| Error::Io {
                path: self.dir.clone(),
                source,
            })
    }

    /// Creates the directory if need be, takes the environment's lock, and removes what writers of
    /// state files have left who died.
    ///
    /// # Errors
    /// Those of [`Lock::acquire`].
    pub fn lock(&self, tool: &str, run: &str) -> Result<Lock, Error> {
        self.create()?;
        let lock = Lock::acquire(&self.lock_path(), tool, run)?;
        // What stays is in nobody's way.
        let _ = atomic::sweep(&self.dir);
        Ok(lock)
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.path("lock")
    }

    /// Returns the environment's journal.
    pub fn journal(&self) -> Journal {
        Journal::new(self.path("journal.jsonl"))
    }

    /// Returns the path of the state file `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Reads the state file `name`; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`].
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|source| Error::Format { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    /// Replaces the state file `name` at once and durably.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Error> {
        let path = self.path(name);
        let failed = |source| Error::Io {
            path: path.clone(),
            source,
        };
        let bytes = serde_json::to_vec(value).map_err(|error| failed(error.into()))?;
        atomic::write(&path, &bytes).map_err(failed)
    }

    /// Removes the state file `name`, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::Io {
                path,
                source: error,
            }),
            _ => Ok(()),
        }
    }

    /// Returns the directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nothing_but_the_state_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let (others, root) = (dir.path().join("others"), dir.path().join("root"));
        fs::create_dir(&others).unwrap();
        State::at(root.join("state")).create().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&root), mode(&others));
        assert_eq!(mode(&root.join("state")), 0o700);
    }

    #[test]
    fn who_takes_the_lock_removes_what_a_dead_writer_has_left() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::at(dir.path());
        state.write("restore.json", &1).unwrap();
        fs::write(state.path(".th-tmp-dead"), "half").unwrap();
        drop(state.lock("th-restore", "run").unwrap());
        assert!(!state.path(".th-tmp-dead").exists());
        assert_eq!(state.read("restore.json").unwrap(), Some(1));
    }
}
