//! Packs of which little is needed any more.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io;

use th_archive::{Content, Entry, EntryPath, Listing};

use crate::Error;
use crate::dir::DirStore;
use crate::survey::{Need, Survey};

/// How many packs are written anew at once: what is known of each takes memory.
const AT_ONCE: usize = 16;

/// A pack of which little is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sparse {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The size of a tar of what sets need of it, before compression.
    pub needed_bytes: u64,
}

/// The size of a tar of nothing.
const EMPTY: u64 = 1024;

impl DirStore {
    /// Returns the packs that would be less than half as large without what no set needs, some at a
    /// time. The measure is the size of what is needed before compression, so that nothing has to
    /// be unpacked to know it, and that rewriting is never in vain.
    pub(crate) fn sparse(&self, survey: &Survey) -> Result<Vec<Sparse>, Error> {
        let mut suspects = self.suspects(survey);
        suspects.sort_by_key(|number| {
            (
                std::cmp::Reverse(survey.packs[*number as usize].bytes),
                *number,
            )
        });
        suspects.truncate(AT_ONCE);
        let needed = self.needed(survey, &suspects)?;
        let sparse = suspects.into_iter().map(|number| {
            let pack = &survey.packs[number as usize];
            Sparse {
                name: pack.name.clone(),
                bytes: pack.bytes,
                needed_bytes: needed.get(&number).copied().unwrap_or(EMPTY),
            }
        });
        Ok(sparse
            .filter(|sparse| sparse.needed_bytes.saturating_mul(2) < sparse.bytes)
            .collect())
    }

    /// Returns the numbers of the packs of which no set alone needs enough.
    fn suspects(&self, survey: &Survey) -> Vec<u32> {
        let mut suspects: HashSet<u32> = (survey.packs.iter().zip(0..))
            .filter(|(pack, _)| pack.used && !pack.is_link)
            .map(|(_, number)| number)
            .collect();
        // Nearly always the newest set alone needs most of nearly every pack.
        for need in &survey.needs {
            if !need.packs.iter().any(|number| suspects.contains(number)) {
                continue;
            }
            let mut needed: HashMap<u32, u64> = HashMap::new();
            let whole = self.members(survey, need, &mut |number, _, content| {
                *needed.entry(number).or_insert(EMPTY) += in_tar(content.size);
            });
            let enough = |number: &u32| {
                let needed = needed.get(number).copied().unwrap_or(EMPTY);
                needed.saturating_mul(2) >= survey.packs[*number as usize].bytes
            };
            // Of a listing that cannot be read, everything may be needed.
            suspects.retain(|number| match &whole {
                Ok(()) => !enough(number),
                Err(_) => !need.packs.contains(number),
            });
        }
        suspects.into_iter().collect()
    }

    /// Returns the size of a tar of what all sets need of each of the packs.
    fn needed(&self, survey: &Survey, packs: &[u32]) -> Result<HashMap<u32, u64>, Error> {
        let hasher = RandomState::new();
        let mut seen: HashMap<u32, HashSet<u64>> = HashMap::new();
        let mut needed: HashMap<u32, u64> = HashMap::new();
        for need in &survey.needs {
            if need.packs.iter().any(|number| packs.contains(number)) {
                self.members(survey, need, &mut |number, member, content| {
                    if packs.contains(&number)
                        && seen
                            .entry(number)
                            .or_default()
                            .insert(hasher.hash_one(member))
                    {
                        *needed.entry(number).or_insert(EMPTY) += in_tar(content.size);
                    }
                })?;
            }
        }
        Ok(needed)
    }

    /// Calls `on` for every file of a set, with the number of the pack that holds it.
    pub(crate) fn members(
        &self,
        survey: &Survey,
        need: &Need,
        on: &mut dyn FnMut(u32, &EntryPath, &Content),
    ) -> Result<(), Error> {
        let path = &need.listing;
        let mut numbers: HashMap<String, Option<u32>> = HashMap::new();
        let listing = Listing::new(th_archive::open(path).map_err(Error::io(path))?);
        for entry in listing {
            let entry: Entry = entry.map_err(io::Error::other).map_err(Error::io(path))?;
            let Some(content) = entry.content() else {
                continue;
            };
            let number = match numbers.get(&content.pack) {
                Some(number) => *number,
                None => {
                    let number = self.number(survey, &content.pack);
                    numbers.insert(content.pack.clone(), number);
                    number
                }
            };
            if let Some(number) = number {
                on(number, entry.member(), content);
            }
        }
        Ok(())
    }

    /// Returns the number of the pack that holds what the pack `name` did.
    fn number(&self, survey: &Survey, name: &str) -> Option<u32> {
        let moved = self.moved(name).ok()?;
        let name = match &moved {
            Some(path) => path.file_name()?.to_str()?,
            None => name,
        };
        let place = survey
            .packs
            .binary_search_by(|pack| pack.name.as_str().cmp(name));
        place.ok().map(|place| place as u32)
    }
}

/// Returns how much a file of `size` bytes takes in a tar.
fn in_tar(size: u64) -> u64 {
    512 + size.next_multiple_of(512)
}
