//! The trash: sets that were pruned and can still be brought back.
//!
//! A set is moved there by one rename, which also says when: `trash/<id>.<time>`. Nothing needs to
//! be written for it, so it works on a full disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use th_archive::atomic::fsync_dir;
use th_record::Id;

use crate::dir::{DirStore, make_dir};
use crate::lease::lock_out;
use crate::usage::size_of;
use crate::{Error, Pruner, Source, Sweep, Swept, manifest};

const TIME: &str = "%Y%m%dT%H%M%SZ";

/// What the name of a set that is being removed ends in.
const GONE: &str = "gone";

/// A set in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// Its id.
    pub id: Id,
    /// When it was pruned.
    pub deleted_at: DateTime<Utc>,
    /// What it is a backup of; `None` when its manifest was not read, or cannot be.
    pub source: Option<Source>,
    pub(crate) dir: PathBuf,
}

/// What is in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trash {
    /// The sets, newest first.
    pub sets: Vec<Trashed>,
    /// The names of what is not ours.
    pub foreign: Vec<String>,
    /// Sets whose removal was cut short.
    pub(crate) gone: Vec<PathBuf>,
}

impl Trashed {
    /// Tells whether it can still be brought back.
    pub fn is_there(&self) -> bool {
        self.dir.symlink_metadata().is_ok()
    }

    /// Returns the size of the set's own files.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn bytes(&self) -> Result<u64, Error> {
        size_of(&self.dir)
    }
}

impl DirStore {
    pub(crate) fn trash(&self) -> Result<Trash, Error> {
        let dir = self.trash_dir();
        let mut trash = Trash::default();
        match fs::symlink_metadata(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(trash),
            found => is_dir(&dir, found)?,
        }
        for entry in fs::read_dir(&dir).map_err(Error::io(&dir))? {
            let entry = entry.map_err(Error::io(&dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_dir = entry.file_type().map_err(Error::io(&dir))?.is_dir();
            let parts = name
                .split_once('.')
                .map(|(id, rest)| (id.parse::<Id>(), rest));
            match parts {
                Some((Ok(_), GONE)) if is_dir => trash.gone.push(entry.path()),
                Some((Ok(id), time)) if is_dir && parse(time).is_some() => {
                    trash.sets.extend(parse(time).map(|deleted_at| Trashed {
                        id,
                        deleted_at,
                        source: None,
                        dir: entry.path(),
                    }));
                }
                _ if self.is_own(&name) => {}
                _ => trash.foreign.push(name),
            }
        }
        trash
            .sets
            .sort_by(|a, b| (&b.id, b.deleted_at).cmp(&(&a.id, a.deleted_at)));
        trash.foreign.sort();
        Ok(trash)
    }
}

impl Pruner {
    /// Moves the set `id` to the trash, and returns whether that was done: it is not while somebody
    /// reads the set.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`]. The set is then where it was.
    pub fn discard(&self, id: &Id, at: DateTime<Utc>) -> Result<bool, Error> {
        let (set, trash) = (self.store.set_dir(id), self.store.trash_dir());
        is_dir(&set, fs::symlink_metadata(&set))?;
        let path = set.join(manifest::NAME);
        let Some(_locked) = lock_out(&path).map_err(Error::io(&path))? else {
            return Ok(false);
        };
        make_dir(&trash)?;
        is_dir(&trash, fs::symlink_metadata(&trash))?;
        let to = trash.join(format!("{id}.{}", at.format(TIME)));
        fs::rename(&set, &to).map_err(Error::io(&set))?;
        // It is done, and after a crash the set is whole in either place.
        let _ = settle(&set, &to);
        Ok(true)
    }

    /// Moves a set out of the trash again.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Io`]. The set is then where it was.
    pub fn undelete(&self, trashed: &Trashed) -> Result<(), Error> {
        let set = self.store.set_dir(&trashed.id);
        if set.symlink_metadata().is_ok() {
            return Err(Error::Exists(trashed.id.clone()));
        }
        fs::rename(&trashed.dir, &set).map_err(Error::io(&trashed.dir))?;
        let _ = settle(&trashed.dir, &set);
        Ok(())
    }

    /// Removes a set from the trash for good.
    ///
    /// # Errors
    /// [`Error::Io`]. What is left of the set cannot be brought back, and is removed by
    /// [`Pruner::tidy`].
    pub fn purge(&self, trashed: &Trashed) -> Result<(), Error> {
        let gone = self
            .store
            .trash_dir()
            .join(format!("{}.{GONE}", trashed.id));
        remove(&gone)?;
        fs::rename(&trashed.dir, &gone).map_err(Error::io(&trashed.dir))?;
        // Or else after a crash what is left would be under the name of a whole set.
        settle(&trashed.dir, &gone)?;
        remove(&gone)
    }

    /// Removes what writers and pruners that died have left behind, as far as it can be.
    ///
    /// # Errors
    /// [`Error::Io`], when it cannot be seen what there is.
    pub fn tidy(&self) -> Result<Sweep, Error> {
        let mut sweep = self.store.sweep()?;
        for path in self.store.trash()?.gone {
            let removed = size_of(&path).and_then(|bytes| {
                remove(&path)?;
                Ok([Swept { path, bytes }])
            });
            sweep.note(removed);
        }
        self.tidy_packs(&mut sweep)?;
        Ok(sweep)
    }
}

/// Makes a rename durable. A directory was never renamed over one that has anything in it.
fn settle(from: &Path, to: &Path) -> Result<(), Error> {
    for dir in [to.parent(), from.parent()].into_iter().flatten() {
        fsync_dir(dir).map_err(Error::io(dir))?;
    }
    Ok(())
}

/// Removes a directory, if it is there. Links in it are not followed.
fn remove(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(dir)(error)),
        _ => Ok(()),
    }
}

/// Refuses what is not a directory, such as a link to one elsewhere.
pub(crate) fn is_dir(dir: &Path, found: io::Result<fs::Metadata>) -> Result<(), Error> {
    match found {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Error::io(dir)(io::Error::other("not a directory"))),
        Err(error) => Err(Error::io(dir)(error)),
    }
}

fn parse(time: &str) -> Option<DateTime<Utc>> {
    let parsed = NaiveDateTime::parse_from_str(time, TIME).ok()?.and_utc();
    (parsed.format(TIME).to_string() == time).then_some(parsed)
}
