//! All that a pruner must know of a store: its sets, its trash, and which packs they need.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use th_archive::LISTING;
use th_record::Id;

use crate::brief::Brief;
use crate::dir::DirStore;
use crate::manifest::is_pack_name;
use crate::trash::{Trash, is_dir};
use crate::{Error, Listed};

/// What is in a store.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Every set, and what is among the sets but cannot be read, newest first.
    pub sets: Vec<Listed>,
    /// What was pruned and can be brought back.
    pub trash: Trash,
    /// The packs, ordered by name.
    pub packs: Vec<PackUse>,
    /// The names of what is among the packs and none of ours.
    pub foreign: Vec<String>,
    /// The sets whose packs are not known, because they cannot be read. While there are any, no
    /// pack may go.
    pub unknown: Vec<String>,
    pub(crate) needs: Vec<Need>,
}

/// A pack, and whether anything needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackUse {
    /// Its name.
    pub name: String,
    /// Its size; that of a rewritten one is counted where its content is.
    pub bytes: u64,
    /// Whether a set needs it, be it in the trash.
    pub used: bool,
    /// Since when it is known that none does.
    pub unused_since: Option<DateTime<Utc>>,
    /// Whether it was rewritten, and is but a link.
    pub is_link: bool,
}

/// The packs that a set needs, by their numbers in [`Survey::packs`].
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(crate) listing: PathBuf,
    pub(crate) packs: Vec<u32>,
}

/// Gathers needs while sets are listed.
#[derive(Default)]
pub(crate) struct Needs {
    numbers: HashMap<String, u32>,
    needs: Vec<(Id, Need)>,
}

impl Needs {
    pub(crate) fn add(&mut self, id: &Id, dir: PathBuf, brief: &Brief) {
        let listing = brief.objects.iter().find(|object| {
            let stem = object.name.strip_prefix(LISTING);
            stem.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let mut packs = Vec::with_capacity(brief.packs().len());
        for pack in brief.packs() {
            let next = self.numbers.len() as u32;
            let number = match self.numbers.get(&pack.name) {
                Some(number) => *number,
                None => *self.numbers.entry(pack.name.clone()).or_insert(next),
            };
            packs.push(number);
        }
        if let Some(listing) = listing.filter(|_| !packs.is_empty()) {
            let listing = dir.join(&listing.name);
            self.needs.push((id.clone(), Need { listing, packs }));
        }
    }
}

impl DirStore {
    pub(crate) fn survey(&self) -> Result<Survey, Error> {
        let mut needs = Needs::default();
        let sets = self.list(&mut |id, dir, brief| needs.add(id, dir, brief))?;
        let mut unknown: Vec<String> = sets
            .iter()
            .filter(|listed| listed.set().is_none() && listed.name().parse::<Id>().is_ok())
            .map(|listed| listed.name().to_owned())
            .collect();
        let trash = self.trash()?;
        for trashed in &trash.sets {
            match self.brief(&trashed.dir, &trashed.id) {
                Some((brief, _)) => needs.add(&trashed.id, trashed.dir.clone(), &brief),
                None => unknown.push(trashed.id.to_string()),
            }
        }
        let mut survey = Survey {
            sets,
            trash,
            unknown,
            ..Survey::default()
        };
        self.count_packs(&mut survey, needs)?;
        Ok(survey)
    }

    /// Lists the packs and tells which are needed.
    fn count_packs(&self, survey: &mut Survey, needs: Needs) -> Result<(), Error> {
        let dir = self.packs_dir();
        is_dir(&dir, fs::symlink_metadata(&dir))?;
        let unused = self.unused();
        for entry in fs::read_dir(&dir).map_err(Error::io(&dir))? {
            let entry = entry.map_err(Error::io(&dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let found = match fs::symlink_metadata(entry.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found.map_err(Error::io(&dir))?,
            };
            let ours = is_pack_name(&name)
                && (found.is_file() || found.is_symlink() && self.moved(&name).is_ok());
            if ours {
                survey.packs.push(PackUse {
                    bytes: if found.is_file() { found.len() } else { 0 },
                    used: false,
                    unused_since: unused.get(&name).copied(),
                    is_link: found.is_symlink(),
                    name,
                });
            } else if !self.is_own(&name) {
                survey.foreign.push(name);
            }
        }
        survey.packs.sort_by(|a, b| a.name.cmp(&b.name));
        survey.foreign.sort();

        let places: HashMap<&str, u32> = (survey.packs.iter().zip(0..))
            .map(|(pack, at)| (pack.name.as_str(), at))
            .collect();
        // From the number of a name to that of the pack which holds it; a missing pack has none.
        let mut real = vec![None; needs.numbers.len()];
        let mut used = HashSet::new();
        for (name, number) in &needs.numbers {
            let mut at = places.get(name.as_str()).copied();
            while let Some(place) = at {
                real[*number as usize] = at;
                used.insert(place);
                at = self.target(&survey.packs[place as usize]).and_then(|name| {
                    places.get(name.as_str()).copied()
                });
            }
        }
        for place in used {
            survey.packs[place as usize].used = true;
        }
        let mut needs = needs.needs;
        needs.sort_by(|(a, _), (b, _)| b.cmp(a));
        survey.needs = (needs.into_iter())
            .map(|(_, need)| {
                let numbers = need.packs.iter();
                let mut packs: Vec<u32> = numbers.filter_map(|number| real[*number as usize]).collect();
                packs.sort_unstable();
                packs.dedup();
                Need { packs, ..need }
            })
            .collect();
        Ok(())
    }

    /// Returns the name of the pack that a rewritten one links to.
    fn target(&self, pack: &PackUse) -> Option<String> {
        if !pack.is_link {
            return None;
        }
        let target = fs::read_link(self.packs_dir().join(&pack.name)).ok()?;
        target.to_str().map(str::to_owned)
    }
}
