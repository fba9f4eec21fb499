//! Who is at work in a store: locks that die with their holder.
//!
//! A writer shares the lock on `store.json` for as long as it writes a set; a pruner takes it
//! whole. Whoever loads a set shares the lock on its manifest; a pruner leaves such a set alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use th_record::Id;

use crate::dir::{DirStore, MARKER, open_regular, open_writable};
use crate::{Error, manifest};

const PATIENCE: u32 = 100;
const MOMENT: Duration = Duration::from_millis(20);

/// Manifests that are locked for as long as a store, or a clone of it, is open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leases(Arc<Mutex<Vec<(Id, File)>>>);

impl Leases {
    fn hold(&self, id: &Id, file: File) {
        if let Ok(mut held) = self.0.lock() {
            held.push((id.clone(), file));
        }
    }

    fn has(&self, id: &Id) -> bool {
        let held = self.0.lock();
        held.is_ok_and(|held| held.iter().any(|(holds, _)| holds == id))
    }
}

/// A store that nobody prunes, until this is dropped.
#[derive(Debug)]
pub struct Share {
    _lock: File,
}

impl DirStore {
    /// Keeps pruners off the set `id` from now on. Reading must work where locking does not, such
    /// as on a file system without locks: only a set that is on its way to the trash is refused.
    pub(crate) fn lease(&self, id: &Id) -> Result<(), Error> {
        if self.leases.has(id) {
            return Ok(());
        }
        let path = self.set_dir(id).join(manifest::NAME);
        let file = match open_regular(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NotFound(id.to_string()));
            }
            Err(error) => return Err(Error::io(&path)(error)),
        };
        // A pruner holds it for the moment of a rename, or only looks whether it could.
        for attempt in 0.. {
            match flock(&file, FlockOperation::NonBlockingLockShared) {
                Err(rustix::io::Errno::WOULDBLOCK) if attempt < PATIENCE => sleep(MOMENT),
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(Error::Busy("the set is being pruned"));
                }
                Err(_) | Ok(()) => break,
            }
        }
        if !is_at(&file, &path) {
            return Err(Error::NotFound(id.to_string()));
        }
        self.leases.hold(id, file);
        Ok(())
    }

    /// Tells whether somebody has leased the set `id`.
    pub(crate) fn is_in_use(&self, id: &Id) -> bool {
        let path = self.set_dir(id).join(manifest::NAME);
        match lock_out(&path) {
            Ok(locked) => locked.is_none(),
            // What is not there nobody reads, and where there are no locks nobody has leased any.
            Err(error) => !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::Unsupported
            ),
        }
    }

    /// Shares the store with other writers, and keeps pruners off it.
    pub(crate) fn share(&self) -> Result<Share, Error> {
        self.lock_marker(FlockOperation::NonBlockingLockShared)?
            .map(|lock| Share { _lock: lock })
            .ok_or(Error::Busy("the store is being pruned"))
    }

    /// Keeps writers and other pruners off the store.
    pub(crate) fn claim(&self) -> Result<File, Error> {
        self.lock_marker(FlockOperation::NonBlockingLockExclusive)?
            .ok_or(Error::Busy("a set is being written, or the store pruned"))
    }

    fn lock_marker(&self, how: FlockOperation) -> Result<Option<File>, Error> {
        let path = self.root().join(MARKER);
        let file = match how {
            FlockOperation::NonBlockingLockShared => open_regular(&path),
            _ => open_to_lock(&path),
        };
        let file = file.map_err(Error::io(&path))?;
        match flock(&file, how) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(Error::io(&path)(errno.into())),
        }
    }
}

/// Locks the manifest at `path` against readers; `None` when there are any.
pub(crate) fn lock_out(path: &Path) -> io::Result<Option<File>> {
    let file = open_to_lock(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) if is_at(&file, path) => Ok(Some(file)),
        Ok(()) => Err(io::ErrorKind::NotFound.into()),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Opens a file for a lock that nobody shares. NFS grants one only on what is open for writing;
/// elsewhere one who may only read can look who has a lock.
fn open_to_lock(path: &Path) -> io::Result<File> {
    match open_writable(path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            open_regular(path)
        }
        opened => opened,
    }
}

/// Tells whether `file` is still what is found at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    let ours = file.metadata().map(|found| (found.dev(), found.ino()));
    let there = path
        .symlink_metadata()
        .map(|found| (found.dev(), found.ino()));
    matches!((ours, there), (Ok(ours), Ok(there)) if ours == there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{OFlags, fcntl_getfl};

    #[test]
    fn a_lock_that_nobody_shares_is_on_a_file_that_could_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest.json");
        std::fs::write(&path, "{}").unwrap();
        let locked = lock_out(&path).unwrap().unwrap();
        assert!(fcntl_getfl(&locked).unwrap().contains(OFlags::RDWR));
        assert!(lock_out(&path).unwrap().is_none());
    }

    #[test]
    fn a_set_of_which_nobody_can_tell_is_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let store = DirStore::create(&dir.path().join("store")).unwrap();
        let id: Id = "20261123T020000Z-7f3a".parse().unwrap();
        assert!(!store.is_in_use(&id));
        let manifest = store.set_dir(&id).join(manifest::NAME);
        std::fs::create_dir_all(&manifest).unwrap();
        assert!(store.is_in_use(&id));
    }
}
