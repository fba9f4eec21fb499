//! How a directory differs from a listing.

use std::path::Path;

use rustix::process::geteuid;

use crate::entry::{Entry, Kind};
use crate::merge::{Merge, Pair};
use crate::walk::{Found, Step, Walk, What};
use crate::{Content, Digest, EntryPath, Error, Exclude, Listing, Meta, Watch};

/// What has to be done at a path so that the directory becomes what the listing says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Unchanged(Entry),
    /// The entry is missing.
    Add(Entry),
    /// The entry is of another kind, mode, owner or content than what is there.
    Replace(Entry, Live),
    /// What is there is not in the listing.
    Remove(EntryPath, Live),
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket or a device.
    Other,
}

/// Compares a directory with a listing, path by path, in the order of a walk.
pub struct Diff<'a> {
    merge: Merge<'a>,
    root: &'a Path,
    exclude: &'a Exclude,
    /// Only root can give a file to another owner.
    with_owner: bool,
    /// A directory that goes, with all that is in it.
    going: Option<EntryPath>,
}

impl<'a> Diff<'a> {
    /// Compares the directory `root` with `listing`. What `exclude` names is left alone.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(root: &'a Path, exclude: &'a Exclude, listing: Listing) -> Result<Self, Error> {
        let walk = Walk::new(root, exclude).map_err(Error::io(root))?;
        let merge = Merge::new(walk, Some(listing));
        Ok(Self {
            merge,
            root,
            exclude,
            with_owner: geteuid().is_root(),
            going: None,
        })
    }

    /// Returns the next change; `None` at the end.
    ///
    /// The content of a directory that has to go is told of after it, each path as one to remove.
    /// Pipes, sockets and devices are told of only where an entry has to take their place: a set
    /// does not hold them, so it does not say that they should not be. A directory that holds one,
    /// or something excluded, stays too, and only its other content has to go.
    ///
    /// A file counts as unchanged when size, mode and (if this is root) owner agree and so does the
    /// mtime, or else the hash. The watch is told of the files that are read for that.
    ///
    /// # Errors
    /// [`Error::Io`] when something that is there cannot be read, [`Error::Listing`].
    pub fn next(&mut self, watch: &mut Watch<'_>) -> Result<Option<Change>, Error> {
        while let Some(pair) = self.merge.next()? {
            watch.check().map_err(Error::io(self.root))?;
            let change = match pair {
                Pair::Listed(entry) => Some(Change::Add(entry)),
                Pair::Live(step) => self.removal(step)?,
                Pair::Both(step, entry) => Some(self.compare(step, entry, watch)?),
            };
            if change.is_some() {
                return Ok(change);
            }
        }
        Ok(None)
    }

    fn compare(&self, step: Step, entry: Entry, watch: &mut Watch<'_>) -> Result<Change, Error> {
        let found = match step {
            Step::Found(found) => found,
            Step::Skipped(..) => return Ok(Change::Replace(entry, Live::Other)),
            Step::Vanished(_) => return Ok(Change::Add(entry)),
            Step::Unreadable(path, source) => return Err(unreadable(self.root, &path, source)),
        };
        let same = match (&found.what, &entry.kind) {
            (What::File { size }, Kind::File(content)) => {
                self.same_meta(&found.meta, &entry.meta)
                    && *size == content.size
                    && (found.meta.mtime == entry.meta.mtime
                        || self.same_content(&found, content, watch)?)
            }
            (What::Dir, Kind::Dir) => self.same_meta(&found.meta, &entry.meta),
            (What::Symlink { target }, Kind::Symlink(wanted)) => {
                target == wanted && self.same_owner(&found.meta, &entry.meta)
            }
            _ => false,
        };
        Ok(if same {
            Change::Unchanged(entry)
        } else {
            Change::Replace(entry, live(&found))
        })
    }

    fn same_meta(&self, found: &Meta, wanted: &Meta) -> bool {
        found.mode == wanted.mode && self.same_owner(found, wanted)
    }

    fn same_owner(&self, found: &Meta, wanted: &Meta) -> bool {
        !self.with_owner || (found.uid, found.gid) == (wanted.uid, wanted.gid)
    }

    fn same_content(
        &self,
        found: &Found,
        content: &Content,
        watch: &mut Watch<'_>,
    ) -> Result<bool, Error> {
        let path = &found.path;
        let (sha256, bytes) = found
            .open()
            .and_then(|file| Digest::of_reader(file, path.as_path(), watch))
            .map_err(|source| unreadable(self.root, path, source))?;
        Ok(bytes == content.size && sha256 == content.sha256)
    }

    /// Returns what has to be done about something that is not in the listing.
    fn removal(&mut self, step: Step) -> Result<Option<Change>, Error> {
        let found = match step {
            Step::Found(found) => found,
            Step::Skipped(..) | Step::Vanished(_) => return Ok(None),
            Step::Unreadable(path, source) => return Err(unreadable(self.root, &path, source)),
        };
        let live = live(&found);
        if live == Live::Dir && !self.is_going(&found.path) {
            if self.holds_what_stays(&found.path)? {
                return Ok(None);
            }
            self.going = Some(found.path.clone());
        }
        Ok(Some(Change::Remove(found.path, live)))
    }

    fn is_going(&self, path: &EntryPath) -> bool {
        let going = self.going.as_ref();
        going.is_some_and(|going| path.as_path().starts_with(going.as_path()))
    }

    /// Tells whether anything in the directory is excluded, or nothing that a set could hold.
    fn holds_what_stays(&self, dir: &EntryPath) -> Result<bool, Error> {
        let path = self.root.join(dir);
        let everything = Exclude::default();
        let mut steps = match Walk::new(&path, &everything) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            walk => walk.map_err(Error::io(path))?,
        };
        Ok(steps.any(|step| {
            let inner = dir.as_path().join(step.path());
            matches!(step, Step::Skipped(..)) || self.exclude.matches(&inner)
        }))
    }
}

fn unreadable(root: &Path, path: &EntryPath, source: std::io::Error) -> Error {
    Error::io(root.join(path))(source)
}

fn live(found: &Found) -> Live {
    match found.what {
        What::File { .. } => Live::File,
        What::Dir => Live::Dir,
        What::Symlink { .. } => Live::Symlink,
    }
}
