//! One line of the listing: a file, directory or symbolic link.

mod line;

use std::ffi::OsString;
use std::io;

use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};

use crate::{Digest, EntryPath, Timestamp};
use line::Line;

/// A file, directory or symbolic link of a set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Line")]
pub struct Entry {
    /// Where it is, relative to the root.
    pub path: EntryPath,
    /// Owner, mode and times.
    pub meta: Meta,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File(Content),
    /// A directory.
    Dir,
    /// A symbolic link, and where it points.
    Symlink(OsString),
}

/// The content of a file and where it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its size.
    pub size: u64,
    /// Its hash.
    pub sha256: Digest,
    /// The pack it is in.
    pub pack: String,
    /// Its name there; `None` when that is the entry's path. It differs for a file that was
    /// moved, and for a copy of another.
    pub member: Option<EntryPath>,
    /// Whether the file changed while it was read.
    pub unstable: bool,
}

/// Owner, mode and times of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// When the content was last changed.
    pub mtime: Timestamp,
    /// When the file was last changed in any way; `None` when it changed while it was read, or so
    /// shortly before that a later change could bear the same time.
    pub ctime: Option<Timestamp>,
    /// The number of its inode.
    pub inode: u64,
    /// The number of its file system.
    pub dev: u64,
}

impl Entry {
    /// Returns the file's content; `None` when it is not a file.
    pub fn content(&self) -> Option<&Content> {
        match &self.kind {
            Kind::File(content) => Some(content),
            Kind::Dir | Kind::Symlink(_) => None,
        }
    }

    /// Returns the name of the file's content in its pack.
    pub fn member(&self) -> &EntryPath {
        self.content()
            .and_then(|content| content.member.as_ref())
            .unwrap_or(&self.path)
    }

    /// Returns the entry as a line of the listing, without the newline.
    pub(crate) fn to_line(&self) -> io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(&Line::from(self))?)
    }

    /// Reads a line of the listing.
    pub(crate) fn from_line(line: &[u8]) -> io::Result<Self> {
        Ok(serde_json::from_slice(line)?)
    }
}

impl Serialize for Entry {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Line::from(self).serialize(serializer)
    }
}

impl Meta {
    pub(crate) fn new(stat: &Stat) -> Self {
        Self {
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: Timestamp::new(stat.st_mtime, stat.st_mtime_nsec as u32),
            ctime: Some(Timestamp::new(stat.st_ctime, stat.st_ctime_nsec as u32)),
            inode: stat.st_ino,
            dev: stat.st_dev,
        }
    }
}

/// Returns what kind of file a `stat` is of.
pub(crate) fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

#[cfg(test)]
mod tests;
