//! Which content is in a pack already, by its hash.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use crate::spool::Spool;
use crate::{Digest, EntryPath};

/// Files above this are not read into memory, and are hashed before they are packed only when a
/// file of the same size is known.
pub(crate) const LARGE: u64 = 1 << 20;

/// Where a content is: the number of a pack, and the name in it.
pub(crate) type Place = (u32, EntryPath);

/// An index of contents. In memory are 16 bytes for each; the rest is on disk.
pub(crate) struct Known {
    spool: Spool,
    /// From the first 64 bits of a hash to the record. Should two contents agree in these, the
    /// later one is packed again each time.
    places: HashMap<u64, u64>,
    large_sizes: HashSet<u64>,
}

impl Known {
    /// Makes an empty index, with its file on the file system of `dir`.
    pub(crate) fn new(dir: &Path) -> io::Result<Self> {
        Ok(Self {
            spool: Spool::new(dir)?,
            places: HashMap::new(),
            large_sizes: HashSet::new(),
        })
    }

    /// Adds a content, unless it is there.
    pub(crate) fn add(
        &mut self,
        size: u64,
        sha256: Digest,
        pack: u32,
        member: &EntryPath,
    ) -> io::Result<()> {
        if size > LARGE {
            self.large_sizes.insert(size);
        }
        if let std::collections::hash_map::Entry::Vacant(vacant) = self.places.entry(key(sha256)) {
            let pack = pack.to_le_bytes();
            vacant.insert(
                self.spool
                    .push(&[sha256.as_bytes(), &pack, member.as_bytes()])?,
            );
        }
        Ok(())
    }

    /// Tells whether a content of this size, above [`LARGE`], is known.
    pub(crate) fn has_size(&self, size: u64) -> bool {
        self.large_sizes.contains(&size)
    }

    /// Returns where a content is.
    pub(crate) fn find(&mut self, sha256: Digest) -> io::Result<Option<Place>> {
        let Some(place) = self.places.get(&key(sha256)) else {
            return Ok(None);
        };
        let mut record = Vec::new();
        self.spool.read(*place, &mut record)?;
        let parts = record
            .split_first_chunk::<32>()
            .and_then(|(digest, rest)| Some((digest, rest.split_first_chunk::<4>()?)));
        let (digest, (pack, member)) = parts.ok_or(io::ErrorKind::InvalidData)?;
        if digest != sha256.as_bytes() {
            return Ok(None);
        }
        let member = EntryPath::from_bytes(member).map_err(io::Error::other)?;
        Ok(Some((u32::from_le_bytes(*pack), member)))
    }
}

fn key(sha256: Digest) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|at| sha256.as_bytes()[at]))
}
