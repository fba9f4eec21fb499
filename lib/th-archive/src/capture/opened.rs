//! A file that is open for reading, and what becomes of it meanwhile.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use crate::entry::file_type;
use crate::steady::Steady;
use crate::walk::Found;
use crate::{EntryPath, Meta};

/// Kernels stamp files with a clock that ticks every 10 ms at the slowest. A file that was changed
/// less than this before it was opened may be changed again under the same time.
const TICK: Duration = Duration::from_millis(20);

/// A file as it was when it was opened.
pub(super) struct Opened<'f> {
    pub(super) path: &'f EntryPath,
    pub(super) meta: Meta,
    pub(super) size: u64,
    file: File,
    young: bool,
}

/// Why there is no content.
pub(super) enum Lost {
    Vanished,
    /// It is a file no more.
    Replaced,
    Unreadable(io::Error),
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::NOENT) => Self::Vanished,
            // What a link says when it must not be followed.
            Some(Errno::LOOP) => Self::Replaced,
            _ => Self::Unreadable(error),
        }
    }
}

impl<'f> Opened<'f> {
    pub(super) fn new(found: &'f Found) -> Result<Self, Lost> {
        let file = found.open()?;
        let stat = fstat(&file).map_err(io::Error::from)?;
        if file_type(&stat) != FileType::RegularFile {
            return Err(Lost::Replaced);
        }
        let meta = Meta::new(&stat);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default();
        Ok(Self {
            path: &found.path,
            young: (meta.ctime).is_some_and(|ctime| ctime.since_1970() + TICK > now),
            meta,
            size: stat.st_size.cast_unsigned(),
            file,
        })
    }

    /// Returns a reader of the file, from where it is.
    pub(super) fn steady(&self) -> Steady<'_> {
        Steady::new(&self.file, self.size)
    }

    /// Goes back to the start.
    pub(super) fn rewind(&self) -> io::Result<()> {
        io::Seek::rewind(&mut &self.file)
    }

    /// Tells whether the file has changed since it was opened.
    pub(super) fn has_changed(&self) -> bool {
        match fstat(&self.file) {
            Ok(stat) => Meta::new(&stat) != self.meta || stat.st_size.cast_unsigned() != self.size,
            Err(_) => true,
        }
    }

    /// Returns owner, mode and times for the listing. Without the ctime, the next capture reads
    /// the file again.
    pub(super) fn into_meta(self, unstable: bool) -> Meta {
        let ctime = self.meta.ctime.filter(|_| !unstable && !self.young);
        Meta { ctime, ..self.meta }
    }
}
