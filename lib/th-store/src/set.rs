//! The sets of a store, as a list shows them and as they are loaded.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use chrono::{DateTime, Utc};
use th_archive::{Digest, LISTING, Previous};
use th_record::{Id, Level, Manifest, Proof, Status, Tag};

use crate::brief::{Brief, Database};
use crate::dir::{DirStore, read};
use crate::{Error, manifest, sums};

/// How many read manifests at once: more than there are processors, since a disk that has to be
/// waited for answers many at a time.
const THREADS: usize = 64;

/// How many sets a thread looks at before it hands them on.
const PART: usize = 16;

/// One entry of the list of sets.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "most are sets, and there are few"
)]
pub enum Listed {
    /// A set.
    Set(SetRef),
    /// Something that is not a set, or not one that this tool can read.
    Unreadable(Unreadable),
}

/// What a list says of a set; the manifest says more.
#[derive(Debug, Clone, PartialEq)]
pub struct SetRef {
    /// Its id.
    pub id: Id,
    /// The hash of its manifest.
    pub manifest_sha256: String,
    /// When its snapshot was taken.
    pub started_at: DateTime<Utc>,
    /// The environment it is of.
    pub environment: Option<String>,
    /// Whether it holds all it should.
    pub status: Status,
    /// Whether retention must keep it.
    pub pinned: bool,
    /// Free labels.
    pub tags: Vec<Tag>,
    /// The database's name.
    pub database: Option<String>,
    /// Rows in its tables.
    pub rows: Option<u64>,
    /// Files in the set.
    pub files: Option<u64>,
    /// The stored size of all it needs, packs shared with other sets included.
    pub stored_bytes: u64,
    /// What has been proven of it.
    pub proof: Option<Proof>,
    /// Why its proof is void, if it is.
    pub void: Option<String>,
}

/// What is among the sets but cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The name of its directory.
    pub name: String,
    /// When its snapshot was taken, as its name says; `None` when that is no id.
    pub started_at: Option<DateTime<Utc>>,
    /// Why it cannot be read.
    pub reason: String,
    /// Whether its format is newer than this tool.
    pub newer: bool,
}

/// Is told of each set: its id, its directory, and its manifest.
type OnSet<'a> = dyn FnMut(&Id, PathBuf, &Brief) + 'a;

impl Listed {
    /// Returns the set, if it is one.
    pub fn set(&self) -> Option<&SetRef> {
        match self {
            Self::Set(set) => Some(set),
            Self::Unreadable(_) => None,
        }
    }

    /// Returns the name of the directory: the id, if it is a set.
    pub fn name(&self) -> &str {
        match self {
            Self::Set(set) => set.id.as_str(),
            Self::Unreadable(unreadable) => &unreadable.name,
        }
    }

    fn started_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Set(set) => Some(set.started_at),
            Self::Unreadable(unreadable) => unreadable.started_at,
        }
    }
}

impl SetRef {
    /// Returns the highest level of proof reached.
    pub fn level(&self) -> Option<Level> {
        self.proof.as_ref().and_then(Proof::highest)
    }

    /// Tells whether the set was restored, and the copy compared equal.
    pub fn is_proven(&self) -> bool {
        self.level() >= Some(Level::PROVEN)
    }
}

impl DirStore {
    pub(crate) fn sets(&self) -> Result<Vec<Listed>, Error> {
        self.list(&mut |_, _, _| {})
    }

    /// Lists the sets, and shows the manifest of each that can be read, in no order.
    pub(crate) fn list(&self, on: &mut OnSet<'_>) -> Result<Vec<Listed>, Error> {
        let dir = self.sets_dir();
        let damaged = &self.damaged()?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&dir).map_err(Error::io(&dir))? {
            let entry = entry.map_err(Error::io(&dir))?;
            names.push((entry.ino(), entry.file_name()));
        }
        // In the order of their inodes, which a disk has side by side.
        names.sort_unstable();
        let mut sets = Vec::with_capacity(names.len());
        let parts: Vec<&[(u64, OsString)]> = names.chunks(PART).collect();
        let next = AtomicUsize::new(0);
        // Few wait in memory.
        thread::scope(|scope| {
            let (send, receive) = sync_channel(THREADS);
            for _ in 0..THREADS.min(parts.len()) {
                let (send, parts, next) = (send.clone(), &parts, &next);
                scope.spawn(move || {
                    while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let names = part.iter().map(|(_, name)| name.to_string_lossy());
                        let listed =
                            names.map(|name| (self.listed(&name, damaged), name.into_owned()));
                        if send.send(listed.collect::<Vec<_>>()).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            for (listed, name) in receive.into_iter().flatten() {
                match listed {
                    // It went to the trash just now.
                    Err(Error::NotFound(_)) => {}
                    Ok((set, brief)) => {
                        on(&set.id, self.set_dir(&set.id), &brief);
                        sets.push(Listed::Set(set));
                    }
                    Err(error) => sets.push(Listed::Unreadable(Unreadable::new(name, &error))),
                }
            }
        });
        sets.sort_by(|a, b| (b.started_at(), b.name()).cmp(&(a.started_at(), a.name())));
        Ok(sets)
    }

    fn listed(&self, name: &str, damaged: &HashSet<String>) -> Result<(SetRef, Brief), Error> {
        let path = self.sets_dir().join(name);
        let id: Id = name
            .parse()
            .map_err(io::Error::other)
            .map_err(Error::io(&path))?;
        // The strict reader knows what is wrong.
        let wrong = |id: Id| self.load(&id).err().unwrap_or(Error::Sums(id));
        let Some((brief, manifest_sha256)) = self.brief_unchecked(&path, &id) else {
            return Err(wrong(id));
        };
        let whole = self.check_undamaged(brief.packs(), damaged);
        let (proof, void) = match whole.and_then(|()| self.proof_of(&id, manifest_sha256)) {
            Ok(proof) => (proof, None),
            Err(error) => (None, Some(chain(&error))),
        };
        // A proof seals the manifest's hash too, and one file less to read is time on a cold disk.
        if proof.is_none() && !brief.is_in_sums(&path, manifest_sha256) {
            return Err(wrong(id));
        }
        let set = SetRef {
            id,
            manifest_sha256: manifest_sha256.to_string(),
            started_at: brief.started_at,
            stored_bytes: brief.stored_bytes(),
            rows: brief.database.as_ref().map(Database::rows),
            environment: brief.environment.clone(),
            status: brief.status,
            pinned: brief.pinned,
            tags: brief.tags.clone(),
            database: brief.database.as_ref().map(|it| it.name.clone()),
            files: brief.files.as_ref().map(|files| files.count),
            proof,
            void,
        };
        Ok((set, brief))
    }

    /// Returns the manifest of a set and its hash.
    pub(crate) fn load(&self, id: &Id) -> Result<(Manifest, Digest), Error> {
        self.load_from(&self.set_dir(id), id)
    }

    /// Returns the manifest of the set `id`, which lies in `dir`, and its hash.
    pub(crate) fn load_from(&self, dir: &Path, id: &Id) -> Result<(Manifest, Digest), Error> {
        let missing = || Error::NotFound(id.to_string());
        match fs::symlink_metadata(dir) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(Error::io(dir)(io::Error::other("not a directory"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
            Err(error) => return Err(Error::io(dir)(error)),
        }
        let path = dir.join(manifest::NAME);
        let bytes = read(&path).map_err(|error| match error.kind() {
            // A pruner moves the directory away whole: if it is still there, the manifest is lost.
            io::ErrorKind::NotFound if dir.symlink_metadata().is_ok() => {
                Error::NoManifest(id.clone())
            }
            io::ErrorKind::NotFound => missing(),
            _ => Error::io(&path)(error),
        })?;
        let manifest = manifest::parse(id.as_str(), &bytes)?;
        let digest = Digest::of(&bytes);
        match read(&dir.join(sums::NAME)) {
            Ok(found) if found == sums::text(&manifest.objects, digest).as_bytes() => {
                Ok((manifest, digest))
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(&dir.join(sums::NAME))(error))
            }
            _ => Err(Error::Sums(id.clone())),
        }
    }

    pub(crate) fn previous(&self, manifest: &Manifest) -> Option<Previous> {
        let files = manifest.files.as_ref()?;
        let listing = manifest.object(LISTING)?;
        let packs = (files.packs.iter()).filter(|pack| self.pack(pack).is_ok());
        Some(Previous {
            dir: self.set_dir(&manifest.id),
            listing: listing.clone(),
            packs: packs.cloned().collect(),
        })
    }
}

impl Unreadable {
    pub(crate) fn new(name: String, error: &Error) -> Self {
        Self {
            started_at: name.parse().ok().map(|id: Id| id.at()),
            reason: chain(error),
            newer: matches!(error, Error::Newer { .. }),
            name,
        }
    }
}

/// Returns an error and its sources as one line.
fn chain(error: &Error) -> String {
    th_record::Failure::of(error).message
}
