//! Packs on disk. A pack that was rewritten is a link to the one that took its place.

use std::fs;
use std::io;
use std::path::PathBuf;

use th_record::Object;

use crate::dir::DirStore;
use crate::manifest::is_pack_name;

/// How often a pack may have been rewritten.
const HOPS: usize = 64;

impl DirStore {
    /// Returns the file that took the place of the pack `name`; `None` when it is its own.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`]; another when it is a link to anything but a pack.
    pub(crate) fn moved(&self, name: &str) -> io::Result<Option<PathBuf>> {
        let packs = self.packs_dir();
        let (_, extension) = name.split_once('.').unwrap_or_default();
        let mut path = packs.join(name);
        for hop in 0..HOPS {
            if !fs::symlink_metadata(&path)?.is_symlink() {
                return Ok((hop > 0).then_some(path));
            }
            let target = fs::read_link(&path)?;
            let target = target.to_str().filter(|target| is_pack_name(target));
            match target.and_then(|target| Some((target, target.split_once('.')?.1))) {
                Some((target, of)) if of == extension => path = packs.join(target),
                _ => return Err(io::Error::other("it is a link, but not to a pack")),
            }
        }
        Err(io::Error::other("it is a link to itself"))
    }

    /// Returns the file that holds the members of a pack.
    ///
    /// # Errors
    /// Those of [`DirStore::moved`], and when the file is known to be damaged, or not as large as it
    /// should be.
    pub(crate) fn pack(&self, pack: &Object) -> io::Result<PathBuf> {
        let (path, bytes) = match self.moved(&pack.name)? {
            // How large it should be, nobody has noted.
            Some(path) => (path, None),
            None => (self.packs_dir().join(&pack.name), Some(pack.bytes)),
        };
        let found = fs::symlink_metadata(&path)?;
        let fits = found.is_file() && bytes.is_none_or(|bytes| bytes == found.len());
        if fits && !self.is_damaged(&path) {
            Ok(path)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}
