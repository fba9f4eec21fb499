//! Paths of files in a set: relative, and never leading out of where they start.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// A relative path of one or more plain names: not absolute, without `.`, `..` and empty names.
///
/// The order is that of a walk: a directory comes before its content, names go by their bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EntryPath(OsString);

/// The path is empty, absolute, or has a name that is empty, `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is not a plain relative path", .0.display())]
pub struct BadPath(OsString);

impl EntryPath {
    /// Makes a path of text or bytes that are one.
    ///
    /// # Errors
    /// [`BadPath`].
    pub fn new(path: impl Into<OsString>) -> Result<Self, BadPath> {
        let path = path.into();
        let plain = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
        if path.as_bytes().split(|byte| *byte == b'/').all(plain) {
            Ok(Self(path))
        } else {
            Err(BadPath(path))
        }
    }

    /// Makes a path of bytes that are one.
    ///
    /// # Errors
    /// [`BadPath`].
    pub fn from_bytes(path: impl Into<Vec<u8>>) -> Result<Self, BadPath> {
        Self::new(OsString::from_vec(path.into()))
    }

    /// Returns the path of `name` at the top. `name` must be one plain name, as a directory lists
    /// it.
    pub(crate) fn top(name: &OsStr) -> Self {
        Self(name.to_owned())
    }

    /// Returns the path of `name` in this directory, where `name` is as for [`EntryPath::top`].
    pub(crate) fn child(&self, name: &OsStr) -> Self {
        let mut path = OsString::with_capacity(self.0.len() + 1 + name.len());
        path.push(&self.0);
        path.push("/");
        path.push(name);
        Self(path)
    }

    /// Returns the path of the directory, `None` at the top, and the name in it.
    pub fn split(&self) -> (Option<&Path>, &OsStr) {
        let bytes = self.as_bytes();
        match bytes.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (
                Some(Path::new(OsStr::from_bytes(&bytes[..slash]))),
                OsStr::from_bytes(&bytes[slash + 1..]),
            ),
            None => (None, &self.0),
        }
    }

    /// Returns the path as such.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// Returns the path's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Ord for EntryPath {
    fn cmp(&self, other: &Self) -> Ordering {
        // The separator sorts before every byte that a name can hold.
        let key = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
        let (ours, theirs) = (self.as_bytes().iter(), other.as_bytes().iter());
        ours.map(key).cmp(theirs.map(key))
    }
}

impl PartialOrd for EntryPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl AsRef<Path> for EntryPath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_paths() {
        for good in ["a", "a/b", "...", ".a", "a/..b", "-", " ", "a\nb"] {
            assert!(EntryPath::new(good).is_ok(), "{good:?}");
        }
        for bad in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0",
        ] {
            assert!(EntryPath::new(bad).is_err(), "{bad:?}");
        }
        assert!(EntryPath::from_bytes(*b"\xff/x").is_ok());
    }

    #[test]
    fn the_order_is_that_of_a_walk() {
        let mut paths: Vec<_> = ["a.b", "a/x", "a", "B", "a/x/y", "a-", "a/x.z"]
            .into_iter()
            .map(|path| EntryPath::new(path).unwrap())
            .collect();
        paths.sort();
        let shown: Vec<_> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["B", "a", "a/x", "a/x/y", "a/x.z", "a-", "a.b"]);
    }

    #[test]
    fn a_path_splits_into_directory_and_name() {
        let path = EntryPath::new("a/b/c").unwrap();
        assert_eq!(path.split(), (Some(Path::new("a/b")), OsStr::new("c")));
        let top = EntryPath::new("a").unwrap();
        assert_eq!(top.split(), (None, OsStr::new("a")));
        assert_eq!(top.child(OsStr::new("b")).as_path(), Path::new("a/b"));
    }
}
