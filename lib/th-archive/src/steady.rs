//! A file read to the size it had when it was opened, whatever happens to it meanwhile.

use std::fs::File;
use std::io::{self, Read};

/// Gives exactly as many bytes as were promised: a tar header is written before its content.
pub(crate) struct Steady<'a> {
    file: &'a File,
    left: u64,
    /// Whether the file ended early; zeros were given instead.
    pub(crate) short: bool,
    /// Why the file could not be read to its end; zeros were given instead.
    pub(crate) failure: Option<io::Error>,
}

impl<'a> Steady<'a> {
    pub(crate) fn new(file: &'a File, size: u64) -> Self {
        Self {
            file,
            left: size,
            short: false,
            failure: None,
        }
    }

    /// Fills the start of `buffer` and returns how much; 0 at the end only.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let wanted = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let n = self.read(&mut buffer[..wanted]);
        self.left -= n as u64;
        n
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        while !buffer.is_empty() && !self.short && self.failure.is_none() {
            match self.file.read(buffer) {
                Ok(0) => self.short = true,
                Ok(n) => return n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.failure = Some(error),
            }
        }
        buffer.fill(0);
        buffer.len()
    }
}
