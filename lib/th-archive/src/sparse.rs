//! Writing a file with holes where the content is zero.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The smallest hole, and what holes are aligned to.
pub(crate) const HOLE: usize = 64 * 1024;

static ZEROS: [u8; HOLE] = [0; HOLE];

/// Writes an empty file from its start.
pub(crate) struct Sparse<'a> {
    file: &'a File,
    offset: u64,
}

impl<'a> Sparse<'a> {
    pub(crate) fn new(file: &'a File) -> Self {
        Self { file, offset: 0 }
    }

    /// Writes the next bytes: a multiple of [`HOLE`] but for the last of the file.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for block in bytes.chunks(HOLE) {
            if block != ZEROS {
                self.file.write_all_at(block, self.offset)?;
            }
            self.offset += block.len() as u64;
        }
        Ok(())
    }

    /// Gives the file its size, should it end in a hole.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.set_len(self.offset)
    }
}
