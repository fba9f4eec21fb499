//! The check that the files which the database names are in the set.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::{Capped, Digest, Error, Listing};

/// The paths of a listing, of which only a hash is kept: 40 bytes each at the most.
///
/// A reference is matched like this: `.`, doubled slashes and one at the end are dropped; an
/// absolute path must lie below the root, which is dropped, and so is the root's own name at the
/// start of a relative path, unless the path is in the listing with it. What remains must be the
/// path of an entry, byte for byte.
#[derive(Debug)]
pub struct References {
    roots: Vec<PathBuf>,
    paths: HashSet<u128>,
    checked: u64,
    missing: Capped,
}

impl References {
    /// Reads the paths of `listing`, which is that of the directory `root`.
    ///
    /// # Errors
    /// [`Error::Listing`].
    pub fn new(root: &Path, listing: Listing) -> Result<Self, Error> {
        let paths = listing
            .map(|entry| Ok(key(entry?.path.as_bytes())))
            .collect::<Result<_, Error>>()?;
        let mut roots = vec![root.to_owned()];
        roots.extend(root.canonicalize().ok().filter(|real| real != root));
        Ok(Self {
            roots,
            paths,
            checked: 0,
            missing: Capped::default(),
        })
    }

    /// Checks one reference and tells whether it is in the set.
    pub fn check(&mut self, reference: impl AsRef<Path>) -> bool {
        let reference = reference.as_ref();
        self.checked += 1;
        let found = self.is_listed(reference);
        if !found {
            self.missing.push(|| reference.display().to_string());
        }
        found
    }

    fn is_listed(&self, reference: &Path) -> bool {
        let dot = |name: &Component<'_>| *name == Component::CurDir;
        let path: PathBuf = reference.components().filter(|name| !dot(name)).collect();
        if path.is_absolute() {
            return (self.roots.iter())
                .filter_map(|root| path.strip_prefix(root).ok())
                .any(|path| self.has(path));
        }
        let name = self.roots[0].file_name().unwrap_or_default();
        self.has(&path) || path.strip_prefix(name).is_ok_and(|path| self.has(path))
    }

    fn has(&self, path: &Path) -> bool {
        self.paths.contains(&key(path.as_os_str().as_bytes()))
    }

    /// Returns what was found, as the manifest holds it.
    pub fn finish(self) -> th_record::References {
        th_record::References {
            checked: self.checked,
            missing_count: self.missing.count,
            missing: self.missing.first,
        }
    }
}

fn key(path: &[u8]) -> u128 {
    let digest = Digest::of(path);
    u128::from_le_bytes(std::array::from_fn(|at| digest.as_bytes()[at]))
}
