//! Packs that nothing needs, and since when that is known.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;

use chrono::{DateTime, Utc};
use th_archive::atomic::{self, TEMPORARY, fsync_dir};
use th_record::record::seconds;

use serde::{Deserialize, Serialize};

use crate::dir::{DirStore, make_dir, read};
use crate::{Error, PackUse, Pruner, Survey, Sweep, Swept};

/// The file in the trash that remembers.
const NAME: &str = "packs.json";

#[derive(Serialize, Deserialize)]
struct Unused {
    name: String,
    #[serde(with = "seconds")]
    since_at: DateTime<Utc>,
}

impl DirStore {
    /// Returns since when packs are known to be unused. A list that is missing or damaged is begun
    /// anew: packs stay longer.
    pub(crate) fn unused(&self) -> HashMap<String, DateTime<Utc>> {
        let bytes = read(&self.trash_dir().join(NAME)).unwrap_or_default();
        let unused: Vec<Unused> = serde_json::from_slice(&bytes).unwrap_or_default();
        unused
            .into_iter()
            .map(|it| (it.name, it.since_at))
            .collect()
    }

    /// Tells whether a file of this name in the trash or among the packs is a pruner's own.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        name == NAME || name.starts_with(TEMPORARY)
    }
}

impl Pruner {
    /// Remembers which packs nothing needs, and since when; those that are needed again, or gone,
    /// are forgotten.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remember_unused(&self, survey: &Survey, now: DateTime<Utc>) -> Result<(), Error> {
        let packs = self.store.packs_dir();
        let is_there = |pack: &&PackUse| packs.join(&pack.name).symlink_metadata().is_ok();
        let unused = survey
            .packs
            .iter()
            .filter(|pack| !pack.used)
            .filter(is_there);
        // A time that has not come yet is a wrong clock's: the wait begins anew.
        let since = |pack: &PackUse| {
            pack.unused_since
                .filter(|since| *since <= now)
                .unwrap_or(now)
        };
        let unused: BTreeMap<&str, DateTime<Utc>> = unused
            .map(|pack| (pack.name.as_str(), since(pack)))
            .collect();
        let known: BTreeMap<String, DateTime<Utc>> = self.store.unused().into_iter().collect();
        if known
            .iter()
            .map(|(name, at)| (name.as_str(), *at))
            .eq(unused.clone())
        {
            return Ok(());
        }
        let unused: Vec<Unused> = (unused.into_iter())
            .map(|(name, since_at)| Unused {
                name: name.to_owned(),
                since_at,
            })
            .collect();
        let dir = self.store.trash_dir();
        make_dir(&dir)?;
        let path = dir.join(NAME);
        serde_json::to_vec(&unused)
            .map_err(io::Error::from)
            .and_then(|bytes| atomic::write(&path, &bytes))
            .map_err(Error::io(&path))
    }

    /// Removes a pack that nothing needs.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove_pack(&self, pack: &PackUse) -> Result<(), Error> {
        let dir = self.store.packs_dir();
        let path = dir.join(&pack.name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(&path)(error));
            }
            _ => {}
        }
        fsync_dir(&dir).map_err(Error::io(&dir))?;
        self.store.forget_damage(&pack.name)
    }

    /// Removes what is left of rewriting that was cut short.
    pub(crate) fn tidy_packs(&self, sweep: &mut Sweep) -> Result<(), Error> {
        for dir in [self.store.packs_dir(), self.store.trash_dir()] {
            let entries = match fs::read_dir(&dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(Error::io(&dir))?,
            };
            for entry in entries {
                let entry = entry.map_err(Error::io(&dir))?;
                let name = entry.file_name();
                let found = entry.metadata().map_err(Error::io(&dir))?;
                if name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) && !found.is_dir() {
                    let (path, bytes) = (entry.path(), found.len());
                    let removed = fs::remove_file(&path).map_err(Error::io(&path));
                    sweep.note(removed.map(|()| [Swept { path, bytes }]));
                }
            }
        }
        Ok(())
    }
}
