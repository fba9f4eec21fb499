//! Records on disk that are too many for memory, in a file without a name.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Records are collected up to here before they are written.
const BUFFER: usize = 64 * 1024;

/// A file of records that disappears with the process.
pub(crate) struct Spool {
    file: File,
    /// The end of the spool, not yet in the file.
    tail: Vec<u8>,
    written: u64,
}

impl Spool {
    /// Creates a spool on the file system of `dir`.
    pub(crate) fn new(dir: &Path) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(dir)?,
            tail: Vec::with_capacity(BUFFER),
            written: 0,
        })
    }

    /// Appends a record and returns its place.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) -> io::Result<u64> {
        if self.tail.len() >= BUFFER {
            self.write_tail()?;
        }
        let place = self.len();
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).map_err(io::Error::other)?;
        self.tail.extend_from_slice(&length.to_le_bytes());
        for part in parts {
            self.tail.extend_from_slice(part);
        }
        Ok(place)
    }

    /// Reads the record at a place that [`Spool::push`] returned into `record`, and returns the
    /// place of the next one.
    pub(crate) fn read(&mut self, place: u64, record: &mut Vec<u8>) -> io::Result<u64> {
        if !self.tail.is_empty() {
            self.write_tail()?;
        }
        let mut length = [0; 4];
        self.file.read_exact_at(&mut length, place)?;
        record.resize(u32::from_le_bytes(length) as usize, 0);
        self.file.read_exact_at(record, place + 4)?;
        Ok(place + 4 + record.len() as u64)
    }

    /// Returns the place after the last record.
    pub(crate) fn len(&self) -> u64 {
        self.written + self.tail.len() as u64
    }

    fn write_tail(&mut self) -> io::Result<()> {
        self.file.write_all(&self.tail)?;
        self.written += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }
}
