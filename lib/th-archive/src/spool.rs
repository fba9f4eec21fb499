//! Records on disk that are too many for memory, in a file without a name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
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
        let place = self.written + self.tail.len() as u64;
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).map_err(io::Error::other)?;
        self.tail.extend_from_slice(&length.to_le_bytes());
        for part in parts {
            self.tail.extend_from_slice(part);
        }
        Ok(place)
    }

    /// Reads the record at a place that [`Spool::push`] returned into `record`.
    pub(crate) fn read(&mut self, place: u64, record: &mut Vec<u8>) -> io::Result<()> {
        if !self.tail.is_empty() {
            self.write_tail()?;
        }
        let mut length = [0; 4];
        self.file.read_exact_at(&mut length, place)?;
        record.resize(u32::from_le_bytes(length) as usize, 0);
        self.file.read_exact_at(record, place + 4)
    }

    /// Returns a reader of all records, in their order.
    pub(crate) fn replay(mut self) -> io::Result<Replay> {
        self.write_tail()?;
        self.file.rewind()?;
        Ok(Replay(BufReader::with_capacity(BUFFER, self.file)))
    }

    fn write_tail(&mut self) -> io::Result<()> {
        self.file.write_all(&self.tail)?;
        self.written += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }
}

/// Reads the records of a spool from the first to the last.
pub(crate) struct Replay(BufReader<File>);

impl Replay {
    /// Reads the next record into `record`; returns whether there was one.
    pub(crate) fn next(&mut self, record: &mut Vec<u8>) -> io::Result<bool> {
        if self.0.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        record.resize(u32::from_le_bytes(length) as usize, 0);
        self.0.read_exact(record)?;
        Ok(true)
    }
}
