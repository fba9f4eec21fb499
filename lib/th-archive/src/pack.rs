//! Packs: immutable tar archives, named by the hash of their stored bytes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use th_record::Object;

use crate::atomic::{TEMPORARY, fsync_dir};
use crate::member::{write_end, write_header, write_padding};
use crate::{Compression, EntryPath, Meta, Stored};

/// A pack that has grown to this is closed. A file is never split.
const FULL_BYTES: u64 = 256 << 20;

/// So is one that holds this many files: whoever unpacks it looks each of them up.
const FULL_MEMBERS: u32 = 50_000;

/// Writes files into packs.
pub(crate) struct Packer {
    dir: PathBuf,
    compression: Compression,
    open: Option<Open>,
    closed: Vec<Object>,
}

struct Open {
    stored: Stored,
    members: u32,
}

impl Packer {
    /// Writes packs to `dir`.
    pub(crate) fn new(dir: &Path, compression: Compression) -> Self {
        Self {
            dir: dir.to_owned(),
            compression,
            open: None,
            closed: Vec::new(),
        }
    }

    /// Begins a file of exactly `size` bytes, which the caller writes to [`Packer::writer`], and
    /// returns the number of its pack, counted from 0.
    pub(crate) fn begin(&mut self, path: &EntryPath, meta: &Meta, size: u64) -> io::Result<u32> {
        let open = match self.open.take() {
            Some(open) => self.open.insert(open),
            None => self.open.insert(Open {
                stored: Stored::create(&self.dir, &temporary(), self.compression)?,
                members: 0,
            }),
        };
        open.members += 1;
        write_header(&mut open.stored, path, meta, size)?;
        u32::try_from(self.closed.len()).map_err(io::Error::other)
    }

    /// Returns where the content of the file that was begun goes.
    pub(crate) fn writer(&mut self) -> io::Result<&mut impl Write> {
        match &mut self.open {
            Some(open) => Ok(&mut open.stored),
            None => Err(io::Error::other("no file was begun")),
        }
    }

    /// Ends a file of `size` bytes.
    pub(crate) fn end(&mut self, size: u64) -> io::Result<()> {
        write_padding(self.writer()?, size)?;
        match self.open.take() {
            Some(open) if open.is_full() => self.close(open),
            open => {
                self.open = open;
                Ok(())
            }
        }
    }

    /// Closes the last pack and returns all, in the order of their numbers.
    pub(crate) fn finish(mut self) -> io::Result<Vec<Object>> {
        if let Some(open) = self.open.take() {
            self.close(open)?;
        }
        Ok(self.closed)
    }

    fn close(&mut self, mut open: Open) -> io::Result<()> {
        write_end(&mut open.stored)?;
        let mut object = open.stored.finish()?.object;
        let from = self.dir.join(&object.name);
        object.name = self.compression.name(&format!("{}.tar", object.sha256));
        // A pack of this name holds the same bytes.
        fs::rename(from, self.dir.join(&object.name))?;
        fsync_dir(&self.dir)?;
        self.closed.push(object);
        Ok(())
    }
}

impl Open {
    fn is_full(&self) -> bool {
        self.stored.raw_bytes() >= FULL_BYTES || self.members >= FULL_MEMBERS
    }
}

/// Returns what a pack is called before its hash is known: one directory has one packer.
fn temporary() -> String {
    format!("{TEMPORARY}pack.tar")
}
