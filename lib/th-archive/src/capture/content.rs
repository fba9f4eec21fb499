//! The content of files: found in a pack by its hash, or packed.

use std::collections::HashMap;
use std::io::{self, Write};

use sha2::{Digest as _, Sha256};
use th_record::Object;

use super::opened::{Lost, Opened};
use super::{Capture, Previous};
use crate::known::{Known, LARGE, Place};
use crate::pack::Packer;
use crate::steady::Steady;
use crate::walk::Found;
use crate::{Digest, Error, Meta, Watch};

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

/// What reading a file to its end has shown.
struct Read {
    sha256: Digest,
    place: Place,
    new: bool,
    /// Whether the file ended early.
    short: bool,
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

    /// Reads a file and returns where its content is, or why there is none.
    pub(super) fn store(
        &mut self,
        found: &Found,
        watch: &mut Watch<'_>,
    ) -> Result<Result<Stored, Lost>, Error> {
        let opened = match Opened::new(found) {
            Ok(opened) => opened,
            Err(lost) => return Ok(Err(lost)),
        };
        // The buffer is lent for the time of the file.
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = if opened.size <= LARGE {
            self.store_small(&opened, &mut buffer, watch)?
        } else {
            self.store_large(&opened, &mut buffer, watch)?
        };
        self.buffer = buffer;
        Ok(match read {
            Err(error) => Err(Lost::Unreadable(error)),
            Ok(read) => {
                let unstable = read.short || opened.has_changed();
                Ok(Stored {
                    size: opened.size,
                    meta: opened.into_meta(unstable),
                    sha256: read.sha256,
                    place: read.place,
                    new: read.new,
                    unstable,
                })
            }
        })
    }

    fn store_small(
        &mut self,
        opened: &Opened<'_>,
        buffer: &mut [u8],
        watch: &mut Watch<'_>,
    ) -> Result<io::Result<Read>, Error> {
        let mut steady = opened.steady();
        let mut filled = 0;
        loop {
            match steady.fill(&mut buffer[filled..]) {
                0 => break,
                n => filled += n,
            }
        }
        let path = opened.path;
        let told = watch.advance(path.as_path(), opened.size);
        told.map_err(Error::io(path))?;
        if let Some(error) = steady.failure {
            return Ok(Err(error));
        }
        let content = &buffer[..filled];
        let sha256 = Digest::of(content);
        let found = self.find(sha256)?;
        let new = found.is_none();
        let place = match found {
            Some(place) => place,
            None => {
                let (number, ()) = self.pack(opened, |packer| packer.write_all(content))?;
                self.remember(opened, sha256, number)?
            }
        };
        let short = steady.short;
        Ok(Ok(Read {
            sha256,
            place,
            new,
            short,
        }))
    }

    fn store_large(
        &mut self,
        opened: &Opened<'_>,
        buffer: &mut [u8],
        watch: &mut Watch<'_>,
    ) -> Result<io::Result<Read>, Error> {
        let path = opened.path;
        // Read twice only when it may well be known.
        if self.known()?.has_size(opened.size) {
            let mut steady = opened.steady();
            let sha256 = pour(&mut steady, buffer, |_| watch.advance(path.as_path(), 0))
                .map_err(Error::io(path))?;
            if let Some(error) = steady.failure {
                return Ok(Err(error));
            }
            if let Some(place) = self.find(sha256)? {
                watch.pass(opened.size);
                let (new, short) = (false, steady.short);
                return Ok(Ok(Read {
                    sha256,
                    place,
                    new,
                    short,
                }));
            }
            if let Err(error) = opened.rewind() {
                return Ok(Err(error));
            }
        }
        let mut steady = opened.steady();
        let (number, sha256) = self.pack(opened, |packer| {
            pour(&mut steady, buffer, |chunk| {
                packer.write_all(chunk)?;
                watch.advance(path.as_path(), chunk.len() as u64)
            })
        })?;
        // The member stays in the pack then, without an entry.
        if let Some(error) = steady.failure {
            return Ok(Err(error));
        }
        let place = self.remember(opened, sha256, number)?;
        let (new, short) = (true, steady.short);
        Ok(Ok(Read {
            sha256,
            place,
            new,
            short,
        }))
    }

    /// Packs a file, whose content `fill` writes, and returns the number of the pack and what
    /// `fill` does.
    fn pack<T>(
        &mut self,
        opened: &Opened<'_>,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> Result<(u32, T), Error> {
        let Opened {
            path, meta, size, ..
        } = opened;
        let pack = || {
            let number = self.packer.begin(path, meta, *size)?;
            let filled = fill(self.packer.writer()?)?;
            self.packer.end(*size)?;
            Ok((self.numbers.len() as u32 + number, filled))
        };
        pack().map_err(Error::io(self.capture.packs_dir))
    }

    /// Adds a content to those that are known.
    fn remember(
        &mut self,
        opened: &Opened<'_>,
        sha256: Digest,
        number: u32,
    ) -> Result<Place, Error> {
        let dir = self.capture.dir;
        let added = self.known()?.add(opened.size, sha256, number, opened.path);
        added.map_err(Error::io(dir))?;
        Ok((number, opened.path.clone()))
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
        let Some(previous) = self.previous else {
            return Ok(known);
        };
        for entry in previous.listing()? {
            let entry = entry?;
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

/// Passes a file to `to`, chunk by chunk, and returns the hash of what has passed.
fn pour(
    steady: &mut Steady<'_>,
    buffer: &mut [u8],
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    loop {
        match steady.fill(buffer) {
            0 => return Ok(Digest::finish(hash)),
            n => {
                hash.update(&buffer[..n]);
                to(&buffer[..n])?;
            }
        }
    }
}
