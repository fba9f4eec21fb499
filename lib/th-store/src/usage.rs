//! Space used and left.

use std::fs;
use std::io;
use std::path::Path;

use crate::Error;
use crate::dir::DirStore;

impl DirStore {
    pub(crate) fn stored_bytes(&self) -> Result<u64, Error> {
        let packs = match size_of(&self.packs_dir()) {
            // A copy of a store may lack what was empty.
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => 0,
            packs => packs?,
        };
        Ok(packs + size_of(&self.sets_dir())?)
    }
}

/// Returns how many bytes the file system of `path` has free for this user; `None` when that cannot
/// be told. A directory that has to be made yet is where its nearest parent is.
pub fn free_bytes(path: &Path) -> Option<u64> {
    // A relative path's last ancestor is empty.
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|path| path.exists())?;
    let stat = rustix::fs::statvfs(there).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Returns the size of the files below `dir`. Links are not followed.
pub(crate) fn size_of(dir: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        let metadata = fs::symlink_metadata(&path).map_err(Error::io(&path))?;
        bytes += if metadata.is_dir() {
            size_of(&path)?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}
