//! The backup of a directory: what changed is packed, all is listed.

mod content;
mod draft;
mod opened;
mod run;

use std::io;
use std::path::{Path, PathBuf};

use th_record::{Files, Object};

use crate::capture::run::Run;
use crate::merge::{Merge, Pair};
use crate::walk::Walk;
use crate::{Capped, Compression, Digest, Error, Exclude, Listing, Watch, open};

/// What is to be backed up, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Capture<'a> {
    /// The directory that is backed up.
    pub root: &'a Path,
    /// What is left out of it.
    pub exclude: &'a Exclude,
    /// How packs and listing are compressed.
    pub compression: Compression,
    /// The set before this one: what it holds is not stored again.
    pub previous: Option<&'a Previous>,
    /// Where the listing is written, and what is too large for memory meanwhile.
    pub dir: &'a Path,
    /// Where new packs are written.
    pub packs_dir: &'a Path,
}

/// What the set before this one knows of the same files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The directory its listing is in.
    pub dir: PathBuf,
    /// Its listing.
    pub listing: Object,
    /// The packs that are still there.
    pub packs: Vec<Object>,
}

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The files as the manifest describes them.
    pub files: Files,
    /// The listing.
    pub listing: Object,
    /// The size of the new packs.
    pub stored_bytes: u64,
    /// Files that changed or vanished while they were read, and why files could not be.
    pub warnings: Capped,
    /// What a set cannot hold: pipes, sockets and devices.
    pub skipped: Capped,
}

impl Capture<'_> {
    /// Walks the directory, packs what the set before does not hold, and writes the listing.
    ///
    /// A file is taken as unchanged, and not opened, when its size, mtime, ctime and inode are
    /// those of the previous listing. Any other file is read; if its content is in a pack already,
    /// under whatever name, it is not stored again.
    ///
    /// A file that cannot be read is counted and the run goes on. The watch is told of each file
    /// that is read, by its path relative to the root.
    ///
    /// # Errors
    /// [`Error::Io`] when the root or the store fails, or the watch stops the work;
    /// [`Error::Listing`] when the previous listing is not one, though its hash is right.
    pub fn run(&self, watch: &mut Watch<'_>) -> Result<Captured, Error> {
        let mut run = Run::new(self)?;
        let previous = match self.previous {
            Some(previous) if !previous.is_whole(watch)? => {
                run.warn(|| "the listing of the previous set is damaged: all is read again".into());
                None
            }
            previous => previous,
        };
        run.reuse(previous);
        let walk = Walk::new(self.root, self.exclude).map_err(Error::io(self.root))?;
        let listing = previous.map(Previous::listing).transpose()?;
        let mut merge = Merge::new(walk, listing);
        while let Some(pair) = merge.next()? {
            watch.check().map_err(Error::io(self.root))?;
            match pair {
                Pair::Live(step) => run.step(step, None, watch)?,
                Pair::Both(step, before) => run.step(step, Some(before), watch)?,
                Pair::Listed(_) => {}
            }
        }
        run.finish(watch)
    }
}

impl Previous {
    fn path(&self) -> PathBuf {
        self.dir.join(&self.listing.name)
    }

    fn listing(&self) -> Result<Listing, Error> {
        let path = self.path();
        open(&path).map(Listing::new).map_err(Error::io(&path))
    }

    /// Tells whether the listing is the one that was written. A damaged one must not fail the
    /// backup of today: without it, everything is read again.
    fn is_whole(&self, watch: &mut Watch<'_>) -> Result<bool, Error> {
        let path = self.path();
        match Digest::of_file(&path, watch) {
            Ok((sha256, _)) => Ok(sha256.to_string() == self.listing.sha256),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(Error::io(path)(error)),
            Err(_) => Ok(false),
        }
    }
}
