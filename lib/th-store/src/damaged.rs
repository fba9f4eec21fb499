//! Packs that are known to be damaged: a note for each.
//!
//! The pack stays where it is, since most of what it holds can still be had by hand. But no backup
//! builds upon it, and no set that needs it counts as proven, until a backup puts the same pack in
//! its place, or it is read again and holds.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use th_archive::atomic::{AtomicFile, fsync_dir};
use th_record::Object;

use crate::dir::{DirStore, make_dir};
use crate::{Bytes, Error};

/// What is wrong with a pack that has a note.
const PROBLEM: &str = "a proof has found that it is not what it was";

impl DirStore {
    pub(crate) fn damaged_dir(&self) -> PathBuf {
        self.root().join("damaged")
    }

    /// Returns the names of the packs that have a note.
    pub(crate) fn damaged(&self) -> Result<HashSet<String>, Error> {
        let dir = self.damaged_dir();
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
            entries => entries.map_err(Error::io(&dir))?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<_>>().map_err(Error::io(&dir))
    }

    /// Refuses packs of which one is `damaged`, be it what took its place.
    pub(crate) fn check_undamaged(
        &self,
        packs: &[Object],
        damaged: &HashSet<String>,
    ) -> Result<(), Error> {
        let is_damaged = |pack: &&Object| {
            let moved = self.moved(&pack.name).ok().flatten();
            damaged.contains(&*name_of(moved.as_deref(), &pack.name))
        };
        // Nearly always there is none, and nothing to look at.
        let packs = if damaged.is_empty() { &[] } else { packs };
        match packs.iter().find(is_damaged) {
            Some(pack) => Err(Error::Pack {
                name: pack.name.clone(),
                problem: PROBLEM.into(),
            }),
            None => Ok(()),
        }
    }

    /// Tells whether the pack whose file is at `path` has a note.
    pub(crate) fn is_damaged(&self, path: &Path) -> bool {
        let note = self
            .damaged_dir()
            .join(path.file_name().unwrap_or_default());
        !matches!(note.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Notes which packs a proof has found damaged, and forgets those that it has found whole.
    pub(crate) fn note_damage(&self, found: &Bytes) -> Result<(), Error> {
        for (name, what) in &found.damaged {
            let (dir, incoming) = (self.damaged_dir(), self.incoming_dir());
            make_dir(&dir)?;
            fsync_dir(self.root()).map_err(Error::io(self.root()))?;
            // A copy of a store may lack what was empty.
            make_dir(&incoming)?;
            let path = dir.join(name);
            AtomicFile::create_in(&incoming, &path)
                .and_then(|mut file| {
                    writeln!(file, "{what}")?;
                    file.commit()
                })
                .map_err(Error::io(&path))?;
        }
        found
            .sound
            .iter()
            .try_for_each(|name| self.forget_damage(name))
    }

    /// Forgets that the pack `name` was damaged.
    pub(crate) fn forget_damage(&self, name: &str) -> Result<(), Error> {
        let dir = self.damaged_dir();
        let path = dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            removed => removed.map_err(Error::io(&path))?,
        }
        // It goes with its last note.
        let _ = fs::remove_dir(&dir);
        Ok(())
    }
}

/// Returns the name of the file that holds a pack's bytes.
pub(crate) fn name_of(moved: Option<&Path>, name: &str) -> String {
    match moved.and_then(Path::file_name) {
        Some(moved) => moved.to_string_lossy().into_owned(),
        None => name.to_owned(),
    }
}
