//! Unpacking: chosen entries of a listing are written below a directory, each checked.

mod pack;

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::entry::{Entry, Kind};
use crate::spool::Spool;
use crate::{Digest, EntryPath, Error, Meta, Tree, Watch};

/// Opens a pack by its name and returns a reader of its tar.
pub type Opener<'a> = dyn Fn(&str) -> io::Result<Box<dyn Read + Send>> + 'a;

/// Entries to be unpacked. In memory are 24 bytes for each file; the rest is on disk.
pub struct Unpack {
    target: PathBuf,
    tree: Tree,
    wanted: Wanted,
    packs: Packs,
    dirs: Vec<(EntryPath, Meta)>,
}

/// What was unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unpacked {
    /// How many files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

/// The names of packs, by the order in which they were first wanted.
#[derive(Default)]
struct Packs {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// Files that are wanted: sorted by pack and member, the members of a pack are found by halving.
struct Wanted {
    spool: Spool,
    places: Vec<Place>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    pack: u32,
    /// The first 64 bits of the member's hash.
    member: u64,
    /// Where the record is in the spool.
    at: u64,
}

impl Unpack {
    /// Unpacks below `target`, a directory that is there. What is too large for memory is kept on
    /// its file system meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(target: &Path) -> Result<Self, Error> {
        let tree = Tree::open(target).map_err(Error::io(target))?;
        let spool = Spool::new(target).map_err(Error::io(target))?;
        Ok(Self {
            target: target.to_owned(),
            tree,
            wanted: Wanted {
                spool,
                places: Vec::new(),
            },
            packs: Packs::default(),
            dirs: Vec::new(),
        })
    }

    /// Asks for an entry to be written as `to`. Directories and links are made at once, and so are
    /// directories above them that are missing.
    ///
    /// # Errors
    /// [`Error::Io`], among others when there is something at `to` that is not a directory.
    pub fn want(&mut self, entry: &Entry, to: &EntryPath) -> Result<(), Error> {
        let result = match &entry.kind {
            Kind::Dir => {
                self.dirs.push((to.clone(), entry.meta.clone()));
                self.tree.make_dir(to)
            }
            Kind::Symlink(target) => (self.tree.symlink(to, target))
                .and_then(|()| self.tree.set_symlink(to, &entry.meta)),
            Kind::File(content) => {
                let pack = self.packs.number(&content.pack);
                self.wanted.push(pack, entry, to)
            }
        };
        result.map_err(Error::io(self.target.join(to)))
    }

    /// Writes what was asked for. Every pack is read once. The watch is told of each file by the
    /// path it is written to, relative to the target.
    ///
    /// Nothing outside of the target is touched, whatever the packs hold. After an error, what was
    /// already written is left for the caller to remove; a file whose content is wrong is not.
    ///
    /// # Errors
    /// [`Error::Content`] when a file is missing or other than the listing says, [`Error::Pack`],
    /// [`Error::Hostile`], [`Error::Io`].
    pub fn run(mut self, open: &Opener<'_>, watch: &mut Watch<'_>) -> Result<Unpacked, Error> {
        let mut unpacked = Unpacked::default();
        let mut places = std::mem::take(&mut self.wanted.places);
        places.sort_unstable();
        for places in places.chunk_by(|a, b| a.pack == b.pack) {
            let name = &self.packs.names[places[0].pack as usize];
            let reader = open(name).map_err(|source| Error::Pack {
                pack: name.clone(),
                source,
            })?;
            let spool = &mut self.wanted.spool;
            let mut pack = pack::Pack::new(name, places, spool, &self.tree, &self.target);
            pack.unpack(reader, &mut unpacked, watch)?;
        }
        // The innermost first: an outer one may forbid to enter it.
        self.dirs.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (path, meta) in &self.dirs {
            let set = self.tree.set_dir(path, meta);
            set.map_err(Error::io(self.target.join(path)))?;
        }
        self.tree.sync().map_err(Error::io(&self.target))?;
        Ok(unpacked)
    }
}

impl Packs {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

impl Wanted {
    fn push(&mut self, pack: u32, entry: &Entry, to: &EntryPath) -> io::Result<()> {
        let length = (to.as_bytes().len() as u32).to_le_bytes();
        let at = self
            .spool
            .push(&[&length, to.as_bytes(), &entry.to_line()?])?;
        let member = key(entry.member());
        self.places.push(Place { pack, member, at });
        Ok(())
    }
}

/// Reads a record back.
fn wanted(spool: &mut Spool, place: Place) -> io::Result<(Entry, EntryPath)> {
    let mut record = Vec::new();
    spool.read(place.at, &mut record)?;
    let (length, rest) = record
        .split_first_chunk::<4>()
        .ok_or(io::ErrorKind::InvalidData)?;
    let (to, line) = rest
        .split_at_checked(u32::from_le_bytes(*length) as usize)
        .ok_or(io::ErrorKind::InvalidData)?;
    let to = EntryPath::from_bytes(to).map_err(io::Error::other)?;
    Ok((Entry::from_line(line)?, to))
}

fn key(member: &EntryPath) -> u64 {
    let digest = Digest::of(member.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| digest.as_bytes()[at]))
}
