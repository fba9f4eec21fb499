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
    pub unknown: Vec<Unknown>,
    pub(crate) needs: Vec<Need>,
}

/// A set that cannot be read, be it in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Its id.
    pub id: Id,
    /// What is in its place.
    pub path: PathBuf,
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
    pub(crate) id: Id,
    pub(crate) listing: PathBuf,
    pub(crate) packs: Vec<u32>,
}

/// Gathers needs while sets are listed.
#[derive(Default)]
pub(crate) struct Needs {
    numbers: HashMap<String, u32>,
    needs: Vec<Need>,
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
            let id = id.clone();
            self.needs.push(Need { id, listing, packs });
        }
    }
}

impl Survey {
    /// Forgets sets that are gone: what they alone needed is unused from then on.
    pub fn forget(&mut self, gone: &HashSet<Id>) {
        self.needs.retain(|need| !gone.contains(&need.id));
        self.unknown.retain(|set| !gone.contains(&set.id));
        self.mark_used();
    }

    fn mark_used(&mut self) {
        let used: HashSet<u32> = self
            .needs
            .iter()
            .flat_map(|need| need.packs.iter().copied())
            .collect();
        for (pack, number) in self.packs.iter_mut().zip(0..) {
            pack.used = used.contains(&number);
        }
    }
}

impl DirStore {
    pub(crate) fn survey(&self) -> Result<Survey, Error> {
        let mut needs = Needs::default();
        let sets = self.list(&mut |id, dir, brief| needs.add(id, dir, brief))?;
        let unreadable = sets.iter().filter(|listed| listed.set().is_none());
        let mut unknown: Vec<Unknown> = unreadable
            .filter_map(|listed| listed.name().parse().ok())
            .map(|id| Unknown {
                path: self.set_dir(&id),
                id,
            })
            .collect();
        let mut trash = self.trash()?;
        for trashed in &mut trash.sets {
            match self.brief(&trashed.dir, &trashed.id) {
                Some((brief, _)) => {
                    needs.add(&trashed.id, trashed.dir.clone(), &brief);
                    trashed.source = Some(brief.source());
                }
                None => unknown.push(Unknown {
                    id: trashed.id.clone(),
                    path: trashed.dir.clone(),
                }),
            }
        }
        let (packs, foreign) = self.packs()?;
        let mut survey = Survey {
            sets,
            trash,
            needs: self.needs(&packs, needs),
            packs,
            foreign,
            unknown,
        };
        survey.mark_used();
        Ok(survey)
    }

    /// Returns the packs, ordered by name, and the names of what is among them and none of ours.
    fn packs(&self) -> Result<(Vec<PackUse>, Vec<String>), Error> {
        let dir = self.packs_dir();
        match fs::symlink_metadata(&dir) {
            // A copy of a store may lack what was empty.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
            found => is_dir(&dir, found)?,
        }
        let unused = self.unused();
        let (mut packs, mut foreign) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&dir).map_err(Error::io(&dir))? {
            let entry = entry.map_err(Error::io(&dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let found = match fs::symlink_metadata(entry.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found.map_err(Error::io(&dir))?,
            };
            // A link whose target is gone is ours too: the target went first, and then we died.
            let is_link = found.is_symlink()
                && self
                    .target(&name)
                    .is_some_and(|target| is_pack_name(&target));
            if is_pack_name(&name) && (found.is_file() || is_link) {
                packs.push(PackUse {
                    bytes: if found.is_file() { found.len() } else { 0 },
                    used: false,
                    unused_since: unused.get(&name).copied(),
                    is_link,
                    name,
                });
            } else if !self.is_own(&name) {
                foreign.push(name);
            }
        }
        packs.sort_by(|a, b| a.name.cmp(&b.name));
        foreign.sort();
        Ok((packs, foreign))
    }

    /// Returns what each set needs, newest first, by the numbers of `packs`.
    fn needs(&self, packs: &[PackUse], gathered: Needs) -> Vec<Need> {
        let places: HashMap<&str, u32> = (packs.iter().zip(0..))
            .map(|(pack, at)| (pack.name.as_str(), at))
            .collect();
        // From the number of a name to the packs that stand for it: links, and what holds the content.
        let mut stand_for: Vec<Vec<u32>> = vec![Vec::new(); gathered.numbers.len()];
        for (name, number) in &gathered.numbers {
            let mut at = places.get(name.as_str()).copied();
            let stand_for = &mut stand_for[*number as usize];
            while let Some(place) = at.filter(|place| !stand_for.contains(place)) {
                stand_for.push(place);
                let pack = &packs[place as usize];
                let target = self.target(&pack.name).filter(|_| pack.is_link);
                at = target.and_then(|name| places.get(name.as_str()).copied());
            }
        }
        let mut needs = gathered.needs;
        needs.sort_by(|a, b| b.id.cmp(&a.id));
        for need in &mut needs {
            let numbers = need.packs.iter();
            let places = numbers.flat_map(|number| &stand_for[*number as usize]);
            need.packs = places.copied().collect();
            need.packs.sort_unstable();
            need.packs.dedup();
        }
        needs
    }

    /// Returns where a link among the packs points.
    fn target(&self, name: &str) -> Option<String> {
        let target = fs::read_link(self.packs_dir().join(name)).ok()?;
        target.to_str().map(str::to_owned)
    }
}
