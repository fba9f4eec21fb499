//! One run of a capture: what it has seen so far.

use std::collections::{BTreeMap, HashSet};
use std::fs;

use th_record::{Files, Object};

use super::content::Contents;
use super::draft::Draft;
use super::opened::Lost;
use super::{Capture, Captured, Previous};
use crate::entry::{Content, Entry, Kind};
use crate::walk::{Found, Step, What};
use crate::{Capped, EntryPath, Error, LISTING, Stored, Watch};

pub(super) struct Run<'a> {
    capture: &'a Capture<'a>,
    contents: Contents<'a>,
    draft: Draft,
    /// The numbers of the packs that entries are in.
    used: HashSet<u32>,
    files: Files,
    unreadable: Capped,
    warnings: Capped,
    skipped: Capped,
}

impl<'a> Run<'a> {
    pub(super) fn new(capture: &'a Capture<'a>) -> Result<Self, Error> {
        Ok(Self {
            capture,
            contents: Contents::new(capture),
            draft: Draft::new(capture.dir).map_err(Error::io(capture.dir))?,
            used: HashSet::new(),
            files: Files {
                root: capture.root.display().to_string(),
                count: 0,
                total_bytes: 0,
                new_count: 0,
                new_bytes: 0,
                packs: Vec::new(),
                unreadable_count: 0,
                unreadable: Vec::new(),
                excluded: capture.exclude.patterns().to_vec(),
            },
            unreadable: Capped::default(),
            warnings: Capped::default(),
            skipped: Capped::default(),
        })
    }

    pub(super) fn reuse(&mut self, previous: Option<&'a Previous>) {
        self.contents.reuse(previous);
    }

    pub(super) fn warn(&mut self, warning: impl FnOnce() -> String) {
        self.warnings.push(warning);
    }

    /// Deals with one step of the walk; `before` is what the set before has at its path.
    pub(super) fn step(
        &mut self,
        step: Step,
        before: Option<Entry>,
        watch: &mut Watch<'_>,
    ) -> Result<(), Error> {
        match step {
            Step::Found(found) => self.found(found, before, watch)?,
            Step::Skipped(path, what) => self.skipped.push(|| format!("'{path}' is {what}")),
            Step::Unreadable(path, error) => self.lost(&path, &Lost::Unreadable(error)),
            Step::Vanished(path) => self.lost(&path, &Lost::Vanished),
        }
        Ok(())
    }

    fn found(
        &mut self,
        found: Found,
        before: Option<Entry>,
        watch: &mut Watch<'_>,
    ) -> Result<(), Error> {
        let kind = match &found.what {
            What::File { size } => {
                let known = before
                    .and_then(|before| unchanged(&found, *size, before))
                    .and_then(|content| Some((self.contents.number(&content.pack)?, content)));
                return match known {
                    Some((number, content)) => {
                        watch.pass(content.size);
                        self.list_file(found, content, number)
                    }
                    None => self.read(found, watch),
                };
            }
            What::Dir => Kind::Dir,
            What::Symlink { target } => Kind::Symlink(target.clone()),
        };
        let Found { path, meta, .. } = found;
        self.list(Entry { path, meta, kind }, None)
    }

    fn read(&mut self, mut found: Found, watch: &mut Watch<'_>) -> Result<(), Error> {
        let path = &found.path;
        let stored = match self.contents.store(&found, watch)? {
            Ok(stored) => stored,
            Err(lost) => {
                self.lost(path, &lost);
                return Ok(());
            }
        };
        self.files.new_count += 1;
        if stored.new {
            self.files.new_bytes += stored.size;
        }
        if stored.unstable {
            self.warnings
                .push(|| format!("'{path}' changed while it was read"));
        }
        let (number, member) = stored.place;
        let content = Content {
            size: stored.size,
            sha256: stored.sha256,
            pack: String::new(),
            member: (member != found.path).then_some(member),
            unstable: stored.unstable,
        };
        found.meta = stored.meta;
        self.list_file(found, content, number)
    }

    fn list_file(&mut self, found: Found, content: Content, number: u32) -> Result<(), Error> {
        self.files.count += 1;
        self.files.total_bytes += content.size;
        self.used.insert(number);
        let Found { path, meta, .. } = found;
        let kind = Kind::File(content);
        self.list(Entry { path, meta, kind }, Some(number))
    }

    fn list(&mut self, entry: Entry, pack: Option<u32>) -> Result<(), Error> {
        let dir = self.capture.dir;
        self.draft.push(entry, pack).map_err(Error::io(dir))
    }

    fn lost(&mut self, path: &EntryPath, lost: &Lost) {
        match lost {
            Lost::Vanished => self.warn(|| format!("'{path}' vanished before it was read")),
            Lost::Replaced => self.warn(|| format!("'{path}' was replaced before it was read")),
            Lost::Unreadable(error) => {
                self.unreadable.push(|| path.to_string());
                self.warn(|| format!("'{path}' cannot be read: {error}"));
            }
        }
    }

    /// Closes the packs and writes the listing.
    pub(super) fn finish(mut self, watch: &Watch<'_>) -> Result<Captured, Error> {
        let (packs, old) = self.contents.finish()?;
        let Capture {
            dir, compression, ..
        } = *self.capture;
        let write = || {
            let mut listing = Stored::create(dir, LISTING, compression)?;
            self.draft.write(&packs, &mut listing, || watch.check())?;
            listing.finish()
        };
        let listing = write().map_err(Error::io(dir))?.object;
        let used: BTreeMap<&str, &Object> = (packs.iter().zip(0..))
            .filter(|(_, number)| self.used.contains(number))
            .map(|(pack, _)| (pack.name.as_str(), pack))
            .collect();
        let (new, mut stored_bytes) = (&packs[old..], 0);
        for pack in new {
            if used.contains_key(pack.name.as_str()) {
                stored_bytes += pack.bytes;
            } else {
                // Its only file could not be read to the end.
                let path = self.capture.packs_dir.join(&pack.name);
                fs::remove_file(&path).map_err(Error::io(path))?;
            }
        }
        self.files.packs = used.into_values().cloned().collect();
        self.files.unreadable_count = self.unreadable.count;
        self.files.unreadable = self.unreadable.first;
        Ok(Captured {
            files: self.files,
            listing,
            stored_bytes,
            warnings: self.warnings,
            skipped: self.skipped,
        })
    }
}

/// Returns the content that the set before has of a file, if the file is the same.
fn unchanged(found: &Found, size: u64, before: Entry) -> Option<Content> {
    let (now, then) = (&found.meta, &before.meta);
    let same = now.mtime == then.mtime && now.ctime == then.ctime && now.inode == then.inode;
    match before.kind {
        Kind::File(content) if same && content.size == size => Some(content),
        _ => None,
    }
}
