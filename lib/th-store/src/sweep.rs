//! Sweeping up after writers that died: their directories are known by a lock that nobody holds.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use th_archive::atomic;
use th_record::Id;

use crate::Error;
use crate::dir::DirStore;
use crate::usage::size_of;

/// Something that was swept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// A directory in which a set was being written or removed, or a file that never was whole.
    pub path: PathBuf,
    /// The size of what was removed.
    pub bytes: u64,
}

/// What became of what dead runs have left.
#[derive(Debug, Default)]
pub struct Sweep {
    /// What was removed.
    pub swept: Vec<Swept>,
    /// Why something is still there.
    pub failed: Vec<Error>,
}

impl Sweep {
    /// Notes what became of one thing, or of the things of one kind: one that cannot be removed keeps
    /// no other.
    pub(crate) fn note(&mut self, result: Result<impl IntoIterator<Item = Swept>, Error>) {
        match result {
            Ok(swept) => self.swept.extend(swept),
            Err(error) => self.failed.push(error),
        }
    }
}

/// What was removed, for those who do not mind what is still there.
impl IntoIterator for Sweep {
    type Item = Swept;
    type IntoIter = std::vec::IntoIter<Swept>;

    fn into_iter(self) -> Self::IntoIter {
        self.swept.into_iter()
    }
}

impl DirStore {
    pub(crate) fn part_dir(&self, id: &Id) -> PathBuf {
        self.incoming_dir().join(format!("{id}.part"))
    }

    pub(crate) fn lock_path(&self, id: &Id) -> PathBuf {
        self.incoming_dir().join(format!("{id}.lock"))
    }

    pub(crate) fn sweep(&self) -> Result<Sweep, Error> {
        let dir = self.incoming_dir();
        let mut sweep = Sweep::default();
        sweep.note(Self::sweep_files(self.root()));
        let entries = match fs::read_dir(&dir) {
            // A copy of a store may lack what was empty.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(sweep),
            entries => entries.map_err(Error::io(&dir))?,
        };
        sweep.note(Self::sweep_files(&dir));
        for entry in entries {
            let entry = entry.map_err(Error::io(&dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Whatever is not named like ours is not ours.
            let Some((Ok(id), kind)) = name.split_once('.').map(|(id, kind)| (id.parse(), kind))
            else {
                continue;
            };
            match kind {
                "part" => sweep.note(self.sweep_part(&id)),
                // Left by a writer that died before or after its directory was there.
                "lock" if self.part_dir(&id).symlink_metadata().is_err() => {
                    sweep.note(self.sweep_part(&id));
                }
                _ => {}
            }
        }
        Ok(sweep)
    }

    /// Removes the halves of files.
    fn sweep_files(dir: &Path) -> Result<Vec<Swept>, Error> {
        let files = atomic::sweep(dir).map_err(Error::io(dir))?;
        let swept = |(path, bytes)| Swept { path, bytes };
        Ok(files.into_iter().map(swept).collect())
    }

    /// Removes the directory of one writer, unless it lives.
    fn sweep_part(&self, id: &Id) -> Result<Option<Swept>, Error> {
        let (part, lock_path) = (self.part_dir(id), self.lock_path(id));
        let Some(_held) = lock(&lock_path).map_err(Error::io(&lock_path))? else {
            return Ok(None);
        };
        let found = part.symlink_metadata().is_ok_and(|found| found.is_dir());
        let swept = if found {
            let bytes = size_of(&part)?;
            fs::remove_dir_all(&part).map_err(Error::io(&part))?;
            Some(Swept { path: part, bytes })
        } else {
            None
        };
        fs::remove_file(&lock_path).map_err(Error::io(&lock_path))?;
        Ok(swept)
    }
}

/// Creates and locks the file at `path`; `None` when somebody else holds the lock.
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        // Its last holder may have removed the file between the two steps: a lock on a file that
        // nobody else can find is none.
        let ours = file.metadata()?.ino();
        if fs::symlink_metadata(path).is_ok_and(|found| found.ino() == ours) {
            return Ok(Some(file));
        }
    }
}
