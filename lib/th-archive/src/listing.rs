//! The listing: one line of JSON for every entry, in the order of a walk.

use std::io::{self, BufRead, BufReader, Read};

use crate::entry::Entry;
use crate::hash::CHUNK;
use crate::{EntryPath, Error};

/// What the listing is called, before the extension of its compression.
pub const LISTING: &str = "files.jsonl";

/// Reads a listing, one entry at a time. It ends with the first error.
pub struct Listing {
    reader: BufReader<Box<dyn Read + Send>>,
    bytes: Vec<u8>,
    line: u64,
    last: Option<EntryPath>,
    failed: bool,
}

impl Listing {
    /// Reads from `reader`, as [`crate::open`] gives it for the object.
    pub fn new(reader: Box<dyn Read + Send>) -> Self {
        Self {
            reader: BufReader::with_capacity(CHUNK, reader),
            bytes: Vec::new(),
            line: 0,
            last: None,
            failed: false,
        }
    }

    fn read(&mut self) -> io::Result<Option<Entry>> {
        self.line += 1;
        self.bytes.clear();
        if self.reader.read_until(b'\n', &mut self.bytes)? == 0 {
            return Ok(None);
        }
        let line = self
            .bytes
            .strip_suffix(b"\n")
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let entry = Entry::from_line(line)?;
        if self.last.as_ref().is_some_and(|last| *last >= entry.path) {
            return Err(io::Error::other("it is out of order"));
        }
        self.last = Some(entry.path.clone());
        Ok(Some(entry))
    }
}

impl Iterator for Listing {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Result<Entry, Error>> {
        if self.failed {
            return None;
        }
        let entry = self.read();
        self.failed = entry.is_err();
        let line = self.line;
        entry
            .map_err(|source| Error::Listing { line, source })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(path: &str) -> String {
        format!(
            r#"{{"path":"{path}","kind":"dir","mode":"0755","uid":0,"gid":0,"mtime":"0.000000000","inode":1,"dev":1}}"#
        )
    }

    fn read(text: String) -> Result<Vec<Entry>, Error> {
        Listing::new(Box::new(io::Cursor::new(text.into_bytes()))).collect()
    }

    #[test]
    fn lines_come_in_the_order_of_a_walk() {
        let lines = |paths: [&str; 3]| paths.map(|path| dir(path) + "\n").concat();
        assert_eq!(read(lines(["a", "a/b", "a.b"])).unwrap().len(), 3);
        for wrong in [["a", "a.b", "a/b"], ["b", "a", "c"], ["a", "a", "b"]] {
            assert!(matches!(read(lines(wrong)), Err(Error::Listing { .. })));
        }
    }

    #[test]
    fn a_damaged_line_is_named() {
        let good = dir("a") + "\n";
        for bad in ["\n", "{}\n", &dir("b"), "nonsense\n", "\u{0}\n", &good] {
            match read(format!("{good}{bad}")) {
                Err(Error::Listing { line, .. }) => assert_eq!(line, 2),
                other => panic!("{bad:?}: {other:?}"),
            }
        }
    }
}
