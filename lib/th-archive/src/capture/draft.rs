//! The listing before the names of the packs are known: a pack's name is the hash of all of it.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use th_record::Object;

use crate::ahead::{BATCH, BATCHES};
use crate::entry::{Entry, Kind};
use crate::hash::CHUNK;
use crate::spool::Spool;

/// What an entry has in place of its pack's name. Within a JSON string the quotes would have a
/// backslash before them, so this occurs at most once in a line.
const BLANK: &[u8] = br#""pack":"""#;

/// An entry, and the number of its pack.
type Numbered = (Entry, u32);
/// The thread that writes, and the way to it.
type Writer = (SyncSender<Vec<Numbered>>, JoinHandle<io::Result<Spool>>);

/// Entries, each with the number of its pack. Another thread makes lines of them, which takes
/// about as long as the walk.
pub(super) struct Draft {
    batch: Vec<Numbered>,
    writer: Option<Writer>,
}

impl Draft {
    /// Makes an empty draft on the file system of `dir`.
    pub(super) fn new(dir: &Path) -> io::Result<Self> {
        let spool = Spool::new(dir)?;
        let (sender, batches) = sync_channel(BATCHES);
        let writer = thread::spawn(move || write_lines(spool, &batches));
        Ok(Self {
            batch: Vec::with_capacity(BATCH),
            writer: Some((sender, writer)),
        })
    }

    /// Appends an entry; `pack` is the number of its pack, if it has content.
    pub(super) fn push(&mut self, mut entry: Entry, pack: Option<u32>) -> io::Result<()> {
        if let Kind::File(content) = &mut entry.kind {
            content.pack.clear();
        }
        self.batch.push((entry, pack.unwrap_or(u32::MAX)));
        if self.batch.len() < BATCH {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        match &self.writer {
            Some((sender, _)) if sender.send(batch).is_ok() => Ok(()),
            // It ended, and says why.
            _ => self.end().map(drop),
        }
    }

    /// Waits for the writer and returns what it wrote.
    fn end(&mut self) -> io::Result<Spool> {
        let ended = || io::Error::other("the listing's writer has ended");
        let (sender, writer) = self.writer.take().ok_or_else(ended)?;
        // A writer that has ended refuses the rest, and says why when it is joined.
        let _ = sender.send(std::mem::take(&mut self.batch));
        drop(sender);
        writer.join().map_err(|_| ended())?
    }

    /// Writes the listing; `packs` are in the order of their numbers.
    pub(super) fn write(
        mut self,
        packs: &[Object],
        writer: &mut impl Write,
        check: impl Fn() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut writer = BufWriter::with_capacity(CHUNK, writer);
        let mut replay = self.end()?.replay()?;
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

fn write_lines(mut spool: Spool, batches: &Receiver<Vec<Numbered>>) -> io::Result<Spool> {
    for (entry, number) in batches.iter().flatten() {
        spool.push(&[&number.to_le_bytes(), &entry.to_line()?])?;
    }
    Ok(spool)
}
