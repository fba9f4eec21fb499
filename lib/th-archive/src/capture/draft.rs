//! The listing before the names of the packs are known: a pack's name is the hash of all of it.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use th_record::Object;

use crate::entry::{Entry, Kind};
use crate::hash::CHUNK;
use crate::spool::Spool;

/// What an entry has in place of its pack's name. Within a JSON string the quotes would have a
/// backslash before them, so this occurs at most once in a line.
const BLANK: &[u8] = br#""pack":"""#;

/// Entries, each with the number of its pack.
pub(super) struct Draft(Spool);

impl Draft {
    /// Makes an empty draft on the file system of `dir`.
    pub(super) fn new(dir: &Path) -> io::Result<Self> {
        Spool::new(dir).map(Self)
    }

    /// Appends an entry; `pack` is the number of its pack, if it has content.
    pub(super) fn push(&mut self, mut entry: Entry, pack: Option<u32>) -> io::Result<()> {
        if let Kind::File(content) = &mut entry.kind {
            content.pack.clear();
        }
        let number = pack.unwrap_or(u32::MAX).to_le_bytes();
        self.0.push(&[&number, &entry.to_line()?])?;
        Ok(())
    }

    /// Writes the listing; `packs` are in the order of their numbers.
    pub(super) fn write(
        self,
        packs: &[Object],
        writer: &mut impl Write,
        check: impl Fn() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut writer = BufWriter::with_capacity(CHUNK, writer);
        let mut replay = self.0.replay()?;
        let mut record = Vec::new();
        while replay.next(&mut record)? {
            check()?;
            let (number, line) = record
                .split_first_chunk::<4>()
                .ok_or(io::ErrorKind::InvalidData)?;
            let blank = line.windows(BLANK.len()).rposition(|part| part == BLANK);
            let pack = packs.get(u32::from_le_bytes(*number) as usize);
            match (blank, pack) {
                (Some(blank), Some(pack)) => {
                    // Between the two quotes at the end.
                    let (before, after) = line.split_at(blank + BLANK.len() - 1);
                    writer.write_all(before)?;
                    writer.write_all(pack.name.as_bytes())?;
                    writer.write_all(after)?;
                }
                (None, None) => writer.write_all(line)?,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
            writer.write_all(b"\n")?;
        }
        // Not flushed: that would also end a block of the compressed stream.
        writer.into_inner()?;
        Ok(())
    }
}
