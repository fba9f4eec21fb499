//! Space used and left.

use std::fs;
use std::path::Path;

use crate::Error;
use crate::dir::DirStore;

impl DirStore {
    pub(crate) fn free_bytes(&self) -> Result<u64, Error> {
        let root = self.root();
        let stat = rustix::fs::statvfs(root).map_err(|errno| Error::io(root)(errno.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    pub(crate) fn stored_bytes(&self) -> Result<u64, Error> {
        Ok(size_of(&self.packs_dir())? + size_of(&self.sets_dir())?)
    }
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
