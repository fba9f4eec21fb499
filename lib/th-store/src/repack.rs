//! Packs of which little is needed any more, and writing them anew without the rest.
//!
//! Sets never change, and they name packs by hash. So the new pack gets the name that its own bytes
//! give it, and then a link to it takes the old one's place, by one rename: whoever opens the old
//! name finds the members that sets need, whatever the moment.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;

use tar::{Archive, EntryType};
use th_archive::atomic::{TEMPORARY, fsync_dir};
use th_archive::{Compression, Content, Digest, Entry, EntryPath, Listing, Stored, Watch};
use th_record::Object;

use crate::dir::DirStore;
use crate::survey::{Need, Survey};
use crate::{Error, Pruner};

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

/// The members that sets need of one pack.
type Members = HashMap<EntryPath, Content>;

impl DirStore {
    /// Returns the packs that would be less than half as large without what no set needs, some at a
    /// time. The measure is the size of what is needed before compression, so that nothing has to
    /// be unpacked to know it, and that rewriting is never in vain.
    pub(crate) fn sparse(&self, survey: &Survey) -> Result<Vec<Sparse>, Error> {
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
        let mut suspects: Vec<u32> = suspects.into_iter().collect();
        suspects.sort_by_key(|number| (std::cmp::Reverse(survey.packs[*number as usize].bytes), *number));
        suspects.truncate(AT_ONCE);

        let hasher = RandomState::new();
        let mut seen: HashMap<u32, HashSet<u64>> = HashMap::new();
        let mut needed: HashMap<u32, u64> = HashMap::new();
        for need in &survey.needs {
            if need.packs.iter().any(|number| suspects.contains(number)) {
                self.members(survey, need, &mut |number, member, content| {
                    if suspects.contains(&number)
                        && seen.entry(number).or_default().insert(hasher.hash_one(member))
                    {
                        *needed.entry(number).or_insert(EMPTY) += in_tar(content.size);
                    }
                })?;
            }
        }
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

    /// Calls `on` for every file of a set, with the number of the pack that holds it.
    fn members(
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
        let place = survey.packs.binary_search_by(|pack| pack.name.as_str().cmp(name));
        place.ok().map(|place| place as u32)
    }
}

impl Pruner {
    /// Writes a pack anew with only what sets need of it, and returns the new one.
    ///
    /// # Errors
    /// [`Error::Pack`] when the pack does not hold what the sets say; [`Error::Io`]. The pack is
    /// then as it was.
    pub fn rewrite(
        &self,
        survey: &Survey,
        sparse: &Sparse,
        watch: &mut Watch<'_>,
    ) -> Result<Object, Error> {
        let store = &self.store;
        let damaged = |problem: String| Error::Pack {
            name: sparse.name.clone(),
            problem,
        };
        let mut members = Members::new();
        for need in &survey.needs {
            store.members(survey, need, &mut |number, member, content| {
                if survey.packs[number as usize].name == sparse.name {
                    members.insert(member.clone(), content.clone());
                }
            })?;
        }
        let old = store.packs_dir().join(&sparse.name);
        let trash = store.trash_dir();
        crate::dir::make_dir(&trash)?;
        let compression = compression(&sparse.name);
        let stem = format!("{TEMPORARY}pack.tar");
        let temporary = trash.join(compression.name(&stem));
        let written = Stored::create(&trash, &stem, compression)
            .map_err(Error::io(&temporary))
            .and_then(|mut stored| {
                copy(&old, &mut stored, &mut members, watch)
                    .map_err(|error| match error.kind() {
                        io::ErrorKind::InvalidData => damaged(error.to_string()),
                        _ => Error::io(&temporary)(error),
                    })?;
                stored.finish().map_err(Error::io(&temporary))
            });
        let moved = written.and_then(|finished| {
            let Object { bytes, sha256, .. } = finished.object;
            // What is to take the place of something is read again first.
            let (again, _) = Digest::of_file(&temporary, watch).map_err(Error::io(&temporary))?;
            if again.to_string() != sha256 {
                return Err(damaged("what was written reads back otherwise".into()));
            }
            let object = Object {
                name: compression.name(&format!("{sha256}.tar")),
                bytes,
                sha256,
            };
            self.replace(&sparse.name, &temporary, &object.name)?;
            Ok(object)
        });
        if moved.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&temporary);
        }
        moved
    }

    /// Puts the pack at `temporary` among the others as `name`, and a link to it in place of `old`.
    fn replace(&self, old: &str, temporary: &Path, name: &str) -> Result<(), Error> {
        let packs = self.store.packs_dir();
        let new = packs.join(name);
        fs::rename(temporary, &new).map_err(Error::io(&new))?;
        fsync_dir(&packs).map_err(Error::io(&packs))?;
        if name == old {
            return Ok(());
        }
        let link = packs.join(format!("{TEMPORARY}{old}"));
        symlink(name, &link).map_err(Error::io(&link))?;
        let old = packs.join(old);
        fs::rename(&link, &old).map_err(Error::io(&old))?;
        fsync_dir(&packs).map_err(Error::io(&packs))
    }
}

/// Copies the wanted members of the pack at `path`, header and all, and checks their content.
fn copy(
    path: &Path,
    to: &mut impl Write,
    wanted: &mut Members,
    watch: &mut Watch<'_>,
) -> io::Result<()> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut archive = Archive::new(th_archive::open(path)?);
    let mut long: Option<Vec<u8>> = None;
    for entry in archive.entries()?.raw(true) {
        watch.check()?;
        let mut entry = entry?;
        if entry.header().entry_type() == EntryType::GNULongName {
            let mut record = entry.header().as_bytes().to_vec();
            entry.read_to_end(&mut record)?;
            pad(&mut record)?;
            long = Some(record);
            continue;
        }
        let name = match &long {
            Some(record) => {
                let name = &record[512..];
                name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
            }
            None => entry.path_bytes().into_owned(),
        };
        let before = long.take();
        let member = EntryPath::from_bytes(name).map_err(|error| invalid(error.to_string()))?;
        let Some(content) = wanted.remove(&member) else {
            continue;
        };
        let size = entry.size();
        to.write_all(&before.unwrap_or_default())?;
        to.write_all(entry.header().as_bytes())?;
        let tee = Tee {
            from: &mut entry,
            to,
        };
        let (sha256, bytes) = Digest::of_reader(tee, path, watch)?;
        if sha256 != content.sha256 || bytes != size || size != content.size {
            return Err(invalid(format!("'{member}' is not what a set says")));
        }
        to.write_all(&[0; 512][..padding(size)])?;
    }
    match wanted.keys().next() {
        Some(member) => Err(invalid(format!("'{member}' is missing"))),
        None => to.write_all(&[0; 1024]),
    }
}

/// Writes to one side what is read from the other.
struct Tee<'a, R, W> {
    from: &'a mut R,
    to: &'a mut W,
}

impl<R: Read, W: Write> Read for Tee<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.to.write_all(&buffer[..n])?;
        Ok(n)
    }
}

/// Returns how much a file of `size` bytes takes in a tar.
fn in_tar(size: u64) -> u64 {
    512 + size.next_multiple_of(512)
}

/// Returns how many zeros follow `size` bytes in a tar.
fn padding(size: u64) -> usize {
    (size.next_multiple_of(512) - size) as usize
}

fn pad(record: &mut Vec<u8>) -> io::Result<()> {
    record.write_all(&[0; 512][..padding(record.len() as u64)])
}

/// Returns how to compress so that the name has the same extension.
fn compression(name: &str) -> Compression {
    match name.rsplit_once('.') {
        Some((_, "zst")) => Compression::default(),
        Some((_, "gz")) => Compression::Gzip { level: 6 },
        _ => Compression::None,
    }
}
