//! The content of files: found in a pack by its hash, or packed.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, fstat};
use sha2::{Digest as _, Sha256};
use th_record::Object;

use super::{Capture, Previous};
use crate::entry::{Entry, file_type};
use crate::known::{Known, LARGE, Place};
use crate::pack::Packer;
use crate::steady::Steady;
use crate::walk::Found;
use crate::{Digest, Error, Meta, Watch};

/// Kernels stamp files with a clock that ticks every 10 ms at the slowest. A file that was changed
/// less than this before it was opened may be changed again under the same time.
const TICK: Duration = Duration::from_millis(20);

/// Finds or packs contents.
pub(super) struct Contents<'a> {
    capture: &'a Capture<'a>,
    previous: Option<&'a Previous>,
    packer: Packer,
    /// The numbers of the packs of the set before.
    numbers: HashMap<&'a str, u32>,
    /// Made for the first file that has to be read: on most nights few are.
    known: Option<Known>,
    /// As large as the largest file that is read whole.
    buffer: Vec<u8>,
}

/// What came of reading a file.
pub(super) enum Outcome {
    Stored(Stored),
    Vanished,
    /// It is a file no more.
    Replaced,
    Unreadable(io::Error),
}

/// A content that is in a pack.
pub(super) struct Stored {
    pub(super) meta: Meta,
    pub(super) size: u64,
    pub(super) sha256: Digest,
    pub(super) place: Place,
    /// Whether it was not in a pack before.
    pub(super) new: bool,
    /// Whether the file changed while it was read.
    pub(super) unstable: bool,
}

/// A file as it was when it was opened.
struct Opened<'f> {
    found: &'f Found,
    file: File,
    meta: Meta,
    size: u64,
}

impl<'a> Contents<'a> {
    pub(super) fn new(capture: &'a Capture<'a>) -> Self {
        Self {
            capture,
            previous: None,
            packer: Packer::new(capture.packs_dir, capture.compression),
            numbers: HashMap::new(),
            known: None,
            buffer: vec![0; LARGE as usize],
        }
    }

    /// Takes what the set before holds as known. Called before anything is read.
    pub(super) fn reuse(&mut self, previous: Option<&'a Previous>) {
        self.previous = previous;
        let packs = previous.map_or(&[][..], |previous| &previous.packs);
        self.numbers = packs.iter().map(|p| p.name.as_str()).zip(0..).collect();
    }

    /// Returns the number of a pack of the set before, if it is still there.
    pub(super) fn number(&self, pack: &str) -> Option<u32> {
        self.numbers.get(pack).copied()
    }

    /// Closes the last pack; returns the packs in the order of their numbers, and how many of them
    /// are those of the set before.
    pub(super) fn finish(self) -> Result<(Vec<Object>, usize), Error> {
        let mut packs = self.previous.map_or_else(Vec::new, |p| p.packs.clone());
        let old = packs.len();
        let new = self.packer.finish();
        packs.extend(new.map_err(Error::io(self.capture.packs_dir))?);
        Ok((packs, old))
    }

    /// Reads a file and returns where its content is.
    pub(super) fn store(&mut self, found: &Found, watch: &mut Watch<'_>) -> Result<Outcome, Error> {
        let file = match found.open() {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Outcome::Vanished),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                return Ok(Outcome::Replaced);
            }
            Err(error) => return Ok(Outcome::Unreadable(error)),
        };
        let stat = match fstat(&file) {
            Ok(stat) if file_type(&stat) == FileType::RegularFile => stat,
            Ok(_) => return Ok(Outcome::Replaced),
            Err(errno) => return Ok(Outcome::Unreadable(errno.into())),
        };
        let opened = Opened {
            found,
            file,
            meta: Meta::new(&stat),
            size: stat.st_size.cast_unsigned(),
        };
        let racy = opened.meta.is_younger_than(TICK);
        let read = if opened.size <= LARGE {
            self.store_small(&opened, watch)?
        } else {
            self.store_large(&opened, watch)?
        };
        let Opened {
            file, meta, size, ..
        } = opened;
        Ok(match read {
            Err(error) => Outcome::Unreadable(error),
            Ok((sha256, place, new, short)) => {
                let after = fstat(&file).map(|stat| (Meta::new(&stat), stat.st_size));
                let unstable = short || after != Ok((meta.clone(), size.cast_signed()));
                let ctime = meta.ctime.filter(|_| !unstable && !racy);
                Outcome::Stored(Stored {
                    meta: Meta { ctime, ..meta },
                    size,
                    sha256,
                    place,
                    new,
                    unstable,
                })
            }
        })
    }

    fn store_small(&mut self, opened: &Opened<'_>, watch: &mut Watch<'_>) -> Result<Read, Error> {
        let path = &opened.found.path;
        let mut content = std::mem::take(&mut self.buffer);
        let mut steady = Steady::new(&opened.file, opened.size);
        let mut filled = 0;
        loop {
            match steady.fill(&mut content[filled..]) {
                0 => break,
                n => filled += n,
            }
        }
        watch
            .advance(path.as_path(), opened.size)
            .map_err(Error::io(path))?;
        if let Some(error) = steady.failure {
            self.buffer = content;
            return Ok(Err(error));
        }
        let sha256 = Digest::of(&content[..filled]);
        let (place, new) = match self.find(sha256)? {
            Some(place) => (place, false),
            None => {
                let number = self.pack(opened, |packer, _| packer.write_all(&content[..filled]))?;
                (self.remember(opened, sha256, number)?, true)
            }
        };
        self.buffer = content;
        Ok(Ok((sha256, place, new, steady.short)))
    }

    fn store_large(&mut self, opened: &Opened<'_>, watch: &mut Watch<'_>) -> Result<Read, Error> {
        let path = &opened.found.path;
        // Read twice only when it may well be known.
        if self.known()?.has_size(opened.size) {
            let mut steady = Steady::new(&opened.file, opened.size);
            let mut hash = Sha256::new();
            let mut buffer = std::mem::take(&mut self.buffer);
            let hashed = pour(&mut steady, &mut buffer, |chunk| {
                hash.update(chunk);
                watch.advance(path.as_path(), 0)
            });
            self.buffer = buffer;
            hashed.map_err(Error::io(path))?;
            let sha256 = Digest::from(<[u8; 32]>::from(hash.finalize()));
            match (steady.failure, self.find(sha256)?) {
                (Some(error), _) => return Ok(Err(error)),
                (None, Some(place)) => return Ok(Ok((sha256, place, false, steady.short))),
                (None, None) => {}
            }
            if let Err(error) = (&opened.file).rewind() {
                return Ok(Err(error));
            }
        }
        let mut steady = Steady::new(&opened.file, opened.size);
        let mut hash = Sha256::new();
        let number = self.pack(opened, |packer, buffer| {
            pour(&mut steady, buffer, |chunk| {
                hash.update(chunk);
                packer.write_all(chunk)?;
                watch.advance(path.as_path(), chunk.len() as u64)
            })
        })?;
        // The member stays in the pack without an entry.
        if let Some(error) = steady.failure {
            return Ok(Err(error));
        }
        let sha256 = Digest::from(<[u8; 32]>::from(hash.finalize()));
        let place = self.remember(opened, sha256, number)?;
        Ok(Ok((sha256, place, true, steady.short)))
    }

    /// Packs a file, whose content `fill` writes, and returns the number of the pack.
    fn pack(
        &mut self,
        opened: &Opened<'_>,
        fill: impl FnOnce(&mut dyn Write, &mut [u8]) -> io::Result<()>,
    ) -> Result<u32, Error> {
        let old = self.numbers.len() as u32;
        let pack = || {
            let number = self
                .packer
                .begin(&opened.found.path, &opened.meta, opened.size)?;
            fill(self.packer.writer()?, &mut self.buffer)?;
            self.packer.end(opened.size)?;
            Ok(old + number)
        };
        pack().map_err(Error::io(self.capture.packs_dir))
    }

    fn remember(
        &mut self,
        opened: &Opened<'_>,
        sha256: Digest,
        number: u32,
    ) -> Result<Place, Error> {
        let path = &opened.found.path;
        let dir = self.capture.dir;
        self.known()?
            .add(opened.size, sha256, number, path)
            .map_err(Error::io(dir))?;
        Ok((number, path.clone()))
    }

    fn find(&mut self, sha256: Digest) -> Result<Option<Place>, Error> {
        let dir = self.capture.dir;
        self.known()?.find(sha256).map_err(Error::io(dir))
    }

    /// Returns the index of contents, filled from the previous listing when first asked for.
    fn known(&mut self) -> Result<&mut Known, Error> {
        let known = match self.known.take() {
            Some(known) => known,
            None => self.previously_known()?,
        };
        Ok(self.known.insert(known))
    }

    fn previously_known(&self) -> Result<Known, Error> {
        let dir = self.capture.dir;
        let mut known = Known::new(dir).map_err(Error::io(dir))?;
        for entry in self
            .previous
            .map(Previous::listing)
            .transpose()?
            .into_iter()
            .flatten()
        {
            let entry: Entry = entry?;
            if let Some(content) = entry.content()
                && let Some(number) = self.number(&content.pack)
            {
                known
                    .add(content.size, content.sha256, number, entry.member())
                    .map_err(Error::io(dir))?;
            }
        }
        Ok(known)
    }
}

/// The hash, the place, whether it is new, and whether the file ended early; or why not.
type Read = io::Result<(Digest, Place, bool, bool)>;

/// Passes a file to `to`, chunk by chunk.
fn pour(
    steady: &mut Steady<'_>,
    buffer: &mut [u8],
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        match steady.fill(buffer) {
            0 => return Ok(()),
            n => to(&buffer[..n])?,
        }
    }
}

impl Meta {
    fn is_younger_than(&self, age: Duration) -> bool {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        self.ctime
            .is_some_and(|ctime| ctime.since_1970() + age > now)
    }
}
