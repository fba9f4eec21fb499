//! Unpacking one pack, read from its start until all that is wanted of it is written.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Place, Unpacked, key, wanted};
use crate::entry::{Content, Entry};
use crate::hash::CHUNK;
use crate::member;
use crate::sparse::Sparse;
use crate::spool::Spool;
use crate::tree::set;
use crate::{Digest, EntryPath, Error, Tree, Watch};

pub(super) struct Pack<'a> {
    name: &'a str,
    places: &'a [Place],
    done: Vec<bool>,
    spool: &'a mut Spool,
    tree: &'a Tree,
    target: &'a Path,
    buffer: Vec<u8>,
}

impl<'a> Pack<'a> {
    pub(super) fn new(
        name: &'a str,
        places: &'a [Place],
        spool: &'a mut Spool,
        tree: &'a Tree,
        target: &'a Path,
    ) -> Self {
        Self {
            name,
            places,
            done: vec![false; places.len()],
            spool,
            tree,
            target,
            buffer: vec![0; CHUNK],
        }
    }

    pub(super) fn unpack(
        &mut self,
        reader: Box<dyn Read + Send>,
        unpacked: &mut Unpacked,
        watch: &mut Watch<'_>,
    ) -> Result<(), Error> {
        let name = self.name;
        let failed = |source| Error::Pack {
            pack: name.to_owned(),
            source,
        };
        let mut left = self.places.len();
        let mut archive = tar::Archive::new(reader);
        for entry in archive.entries().map_err(failed)? {
            let mut entry = entry.map_err(failed)?;
            watch.check().map_err(Error::io(self.target))?;
            let member = member::path(name, &entry)?;
            let written = self.member(&member, &mut entry, unpacked, watch)?;
            left -= written;
            if left == 0 {
                return Ok(());
            }
        }
        match self.done.iter().position(|done| !done) {
            None => Ok(()),
            Some(missing) => {
                let wanted = wanted(self.spool, self.places[missing]);
                let (entry, _) = wanted.map_err(Error::io(self.target))?;
                Err(self.content(&entry.path, "is missing"))
            }
        }
    }

    /// Writes a member wherever it is wanted, and returns to how many places.
    fn member(
        &mut self,
        member: &EntryPath,
        tar: &mut tar::Entry<'_, Box<dyn Read + Send>>,
        unpacked: &mut Unpacked,
        watch: &mut Watch<'_>,
    ) -> Result<usize, Error> {
        let hash = key(member);
        let start = self.places.partition_point(|place| place.member < hash);
        let mut first: Option<File> = None;
        let mut written = 0;
        for at in start..self.places.len() {
            if self.places[at].member != hash {
                break;
            }
            let wanted = wanted(self.spool, self.places[at]);
            let (entry, to) = wanted.map_err(Error::io(self.target))?;
            if entry.member() != member {
                continue;
            }
            if std::mem::replace(&mut self.done[at], true) {
                return Err(Error::Hostile {
                    archive: self.name.to_owned(),
                    member: member.to_string(),
                    problem: "occurs twice",
                });
            }
            // The stream passes once: further copies are made from the first.
            let file = match &mut first {
                None => {
                    let size = tar.size();
                    self.file(&entry, &to, tar, size, watch)?
                }
                Some(first) => {
                    let size = first.rewind().and_then(|()| first.metadata());
                    let size = size.map_err(Error::io(self.target))?.len();
                    self.file(&entry, &to, first, size, watch)?
                }
            };
            first.get_or_insert(file);
            written += 1;
            unpacked.files += 1;
            unpacked.bytes += entry.content().map_or(0, |content| content.size);
        }
        Ok(written)
    }

    /// Writes a file, checks its content and gives it owner, mode and mtime. One that is wrong is
    /// removed.
    fn file(
        &mut self,
        entry: &Entry,
        to: &EntryPath,
        from: &mut dyn Read,
        size: u64,
        watch: &mut Watch<'_>,
    ) -> Result<File, Error> {
        let path = &entry.path;
        let content = match entry.content() {
            Some(content) if content.size == size => content,
            _ => return Err(self.content(path, "has another size than the listing says")),
        };
        let file = self
            .tree
            .create(to)
            .map_err(Error::io(self.target.join(to)))?;
        let filled = self
            .fill(&file, content, path, to, from, watch)
            .and_then(|()| set(&file, &entry.meta).map_err(Error::io(self.target.join(to))));
        if let Err(error) = filled {
            // The first error is the one to tell.
            let _ = self.tree.remove_file(to);
            return Err(error);
        }
        Ok(file)
    }

    fn fill(
        &mut self,
        file: &File,
        content: &Content,
        path: &EntryPath,
        to: &EntryPath,
        from: &mut dyn Read,
        watch: &mut Watch<'_>,
    ) -> Result<(), Error> {
        let cannot_write = |source| Error::Io {
            path: self.target.join(to),
            source,
        };
        let mut sparse = Sparse::new(file);
        let mut hash = Sha256::new();
        loop {
            let n = read_full(from, &mut self.buffer).map_err(|source| Error::Pack {
                pack: self.name.to_owned(),
                source,
            })?;
            if n == 0 {
                break;
            }
            hash.update(&self.buffer[..n]);
            sparse.write(&self.buffer[..n]).map_err(cannot_write)?;
            watch
                .advance(to.as_path(), n as u64)
                .map_err(cannot_write)?;
        }
        sparse.finish().map_err(cannot_write)?;
        if Digest::finish(hash) == content.sha256 {
            Ok(())
        } else {
            Err(self.content(path, "has another hash than the listing says"))
        }
    }

    fn content(&self, path: &EntryPath, problem: &'static str) -> Error {
        Error::Content {
            path: path.clone(),
            pack: self.name.to_owned(),
            problem,
        }
    }
}

/// Fills the buffer as far as there is something to read.
fn read_full(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
