//! The table of contents of a dump, with the places of the data filled in.
//!
//! `pg_dump` into a file goes back and notes where the data of each table begins; into a pipe it
//! cannot. Without these places every worker of `pg_restore --jobs` searches the dump from its
//! start, row by row, and none can begin with the largest table.
//!
//! The format is that of PostgreSQL's `src/bin/pg_dump`: `WriteHead` and `WriteToc` in
//! `pg_backup_archiver.c`, `_WriteExtraToc`, `_StartData` and `_StartLOs` in `pg_backup_custom.c`.

mod body;
mod head;

use body::Body;
use head::{Head, Stop};

/// The most bytes a table of contents may have; a longer one is left as it is.
const MOST: usize = 64 << 20;

/// Learns from a dump in the custom format, on its way past, what its table of contents would be
/// had it been written into a file.
pub struct Toc(State);

enum State {
    /// The table of contents is not whole yet. It is looked at again once it has so many bytes.
    Head(Vec<u8>, usize),
    Body(Vec<u8>, Body),
    /// It is no dump of a format that is known here.
    Unknown,
}

impl Default for Toc {
    fn default() -> Self {
        Self(State::Head(Vec::new(), 1))
    }
}

impl Toc {
    /// Takes the next bytes of the dump.
    pub fn pass(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Head(head, enough) => {
                head.extend_from_slice(bytes);
                if head.len() >= *enough {
                    self.parse();
                }
            }
            State::Body(head, body) => {
                if body.pass(bytes, head).is_none() {
                    self.0 = State::Unknown;
                }
            }
            State::Unknown => {}
        }
    }

    /// Returns the table of contents, byte for byte as long as that which the dump begins with;
    /// none for a dump without data, that is not whole, or of a format that is not known here.
    pub fn finish(self) -> Option<Vec<u8>> {
        match self.0 {
            State::Body(head, body) => body.is_whole().then_some(head),
            State::Head(..) | State::Unknown => None,
        }
    }

    fn parse(&mut self) {
        let State::Head(head, enough) = &mut self.0 else {
            return;
        };
        self.0 = match Head::parse(head) {
            Err(Stop::Cut) if head.len() < MOST => {
                *enough = head.len() * 2;
                return;
            }
            Err(Stop::Cut | Stop::Foreign) => State::Unknown,
            Ok(found) => {
                let rest = head.split_off(found.end);
                let mut head = std::mem::take(head);
                let mut body = Body::new(found);
                match body.pass(&rest, &mut head) {
                    Some(()) => State::Body(head, body),
                    None => State::Unknown,
                }
            }
        };
    }
}

#[cfg(test)]
mod tests;
