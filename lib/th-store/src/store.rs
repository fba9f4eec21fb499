//! The store, wherever it is.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use th_archive::{Previous, Watch};
use th_record::{Id, Level, Manifest, Proof, Reached};

use crate::manifest::is_pack_name;
use crate::usage::size_of;
use crate::{
    Bytes, DirStore, Error, Incoming, Listed, Pruner, Share, Sparse, Survey, Sweep, Trash,
    Unreadable,
};

/// A place where sets live.
#[derive(Debug, Clone)]
pub enum Store {
    /// A directory of this host.
    Dir(DirStore),
}

impl Store {
    /// Opens the store at `path`.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::Foreign`] when the directory is none of ours; [`Error::Newer`];
    /// [`Error::Marker`]; [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        DirStore::open(path).map(Self::Dir)
    }

    /// Opens the store at `path`, which is created if there is nothing yet.
    ///
    /// # Errors
    /// Those of [`Store::open`]: a directory with files that is no store is refused.
    pub fn create(path: &Path) -> Result<Self, Error> {
        DirStore::create(path).map(Self::Dir)
    }

    /// Returns the directory of the store.
    pub fn path(&self) -> &Path {
        let Self::Dir(dir) = self;
        dir.root()
    }

    /// Returns the directory of the set `id`.
    pub fn set_dir(&self, id: &Id) -> PathBuf {
        let Self::Dir(dir) = self;
        dir.set_dir(id)
    }

    /// Keeps pruners off the store.
    ///
    /// # Errors
    /// [`Error::Busy`] when one is at work; [`Error::Io`].
    pub fn share(&self) -> Result<Share, Error> {
        let Self::Dir(dir) = self;
        dir.share()
    }

    /// Begins to write the set `id`, and keeps pruners off the store until it is published.
    ///
    /// # Errors
    /// [`Error::Exists`] when there is such a set or another process is writing it; [`Error::Busy`];
    /// [`Error::Io`].
    pub fn begin(&self, id: &Id) -> Result<Incoming, Error> {
        let Self::Dir(dir) = self;
        Incoming::begin(dir, id)
    }

    /// Returns every set, and what is among the sets but cannot be read, newest first.
    ///
    /// # Errors
    /// [`Error::Io`], when the directory of sets cannot be read.
    pub fn sets(&self) -> Result<Vec<Listed>, Error> {
        let Self::Dir(dir) = self;
        dir.sets()
    }

    /// Returns the manifest of the set `id`, after checking it against SHA256SUMS. Nobody prunes
    /// the set from then on, as long as this store or a clone of it is open.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Newer`], [`Error::Manifest`], [`Error::Sums`], [`Error::Io`],
    /// [`Error::Busy`].
    pub fn load(&self, id: &Id) -> Result<Manifest, Error> {
        let Self::Dir(dir) = self;
        let (manifest, _) = dir.load(id)?;
        dir.lease(id)?;
        Ok(manifest)
    }

    /// Returns what has been proven of the set `id`; `None` when nothing has.
    ///
    /// # Errors
    /// [`Error::Proof`] when what is there is damaged or of another manifest; [`Error::Pack`] when
    /// a pack of the set is known to be damaged; those of [`Store::load`].
    pub fn proof(&self, id: &Id) -> Result<Option<Proof>, Error> {
        let Self::Dir(dir) = self;
        dir.proof(id)
    }

    /// Adds `levels` to what has been proven of the set `id`. A proof that is void is replaced.
    ///
    /// # Errors
    /// Those of [`Store::load`].
    pub fn record_proof(&self, id: &Id, levels: Vec<Reached>) -> Result<Proof, Error> {
        let Self::Dir(dir) = self;
        dir.record_proof(id, levels)
    }

    /// Takes the level `from` and all above it out of what has been proven of the set `id`; tells
    /// whether there was any.
    ///
    /// # Errors
    /// Those of [`Store::load`].
    pub fn void_proof(&self, id: &Id, from: Level) -> Result<bool, Error> {
        let Self::Dir(dir) = self;
        dir.void_proof(id, from)
    }

    /// Reads every object and pack of a set again and compares size and hash. Packs that are
    /// `trusted`, by name, are not read.
    ///
    /// # Errors
    /// Those of [`Store::load`], and [`Error::Io`] when reading fails for another reason than that
    /// the file is missing. Differences are no error: they are what is returned.
    pub fn verify_bytes(
        &self,
        manifest: &Manifest,
        trusted: &HashSet<String>,
        watch: &mut Watch<'_>,
    ) -> Result<Bytes, Error> {
        let Self::Dir(dir) = self;
        dir.verify_bytes(manifest, trusted, watch)
    }

    /// Notes which packs are damaged, as [`Store::verify_bytes`] has found: no backup builds upon
    /// them, and no set that needs them counts as proven. Those it has found whole are forgotten.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn note_damage(&self, found: &Bytes) -> Result<(), Error> {
        let Self::Dir(dir) = self;
        dir.note_damage(found)
    }

    /// Opens the object `name` of the set `id` and returns a reader of what it held before
    /// compression.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open_object(&self, id: &Id, name: &str) -> Result<Box<dyn Read + Send>, Error> {
        let path = self.set_dir(id).join(name);
        th_archive::open(&path).map_err(Error::io(&path))
    }

    /// Reads the manifest of a set and SHA256SUMS as strictly as whoever restores the set, where a list
    /// is content with a proof, and looks whether its objects and packs are there, with their sizes.
    /// Packs that are in `seen` are not looked at again; those that are right are added to it.
    ///
    /// # Errors
    /// What is wrong, as a list shows it.
    pub fn check(&self, id: &Id, seen: &mut HashSet<String>) -> Result<(), Unreadable> {
        let Self::Dir(dir) = self;
        dir.check(id, seen)
            .map_err(|error| Unreadable::new(id.to_string(), &error))
    }

    /// Returns what the object `name` of the set `id` held before compression, as far as `most`
    /// bytes of it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read_object(&self, id: &Id, name: &str, most: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut reader = self.open_object(id, name)?.take(most);
        let read = reader.read_to_end(&mut bytes);
        read.map_err(Error::io(&self.set_dir(id).join(name)))?;
        Ok(bytes)
    }

    /// Opens the object `name` of the set `id` as it is stored.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open_stored(&self, id: &Id, name: &str) -> Result<File, Error> {
        let path = self.set_dir(id).join(name);
        File::open(&path).map_err(Error::io(&path))
    }

    /// Opens the pack `name` and returns a reader of its tar.
    ///
    /// # Errors
    /// Those of open; [`io::ErrorKind::InvalidInput`] when `name` is not the name of a pack.
    pub fn open_pack(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let Self::Dir(dir) = self;
        if !is_pack_name(name) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let moved = dir.moved(name)?;
        th_archive::open(&moved.unwrap_or_else(|| dir.packs_dir().join(name)))
    }

    /// Returns what a capture of the same files needs to know of the set; `None` when it has no
    /// files. A pack that is gone, of another size or known to be damaged is left out, so that what
    /// it held is packed again.
    pub fn previous(&self, manifest: &Manifest) -> Option<Previous> {
        let Self::Dir(dir) = self;
        dir.previous(manifest)
    }

    /// Removes what writers that are dead have left behind, as far as it can be.
    ///
    /// # Errors
    /// [`Error::Io`], when it cannot be seen what there is.
    pub fn sweep(&self) -> Result<Sweep, Error> {
        let Self::Dir(dir) = self;
        dir.sweep()
    }

    /// Returns all that a pruner must know.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn survey(&self) -> Result<Survey, Error> {
        let Self::Dir(dir) = self;
        dir.survey()
    }

    /// Returns what is in the trash.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn trash(&self) -> Result<Trash, Error> {
        let Self::Dir(dir) = self;
        dir.trash()
    }

    /// Returns the size of a set's own files.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn set_bytes(&self, id: &Id) -> Result<u64, Error> {
        size_of(&self.set_dir(id))
    }

    /// Returns the packs that would be less than half as large without what no set needs.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sparse(&self, survey: &Survey) -> Result<Vec<Sparse>, Error> {
        let Self::Dir(dir) = self;
        dir.sparse(survey)
    }

    /// Tells whether somebody reads the set `id`.
    pub fn is_in_use(&self, id: &Id) -> bool {
        let Self::Dir(dir) = self;
        dir.is_in_use(id)
    }

    /// Keeps writers and other pruners off the store, and returns what takes things out of it.
    ///
    /// # Errors
    /// [`Error::Busy`] when somebody is at work; [`Error::Io`].
    pub fn prune(&self) -> Result<Pruner, Error> {
        let Self::Dir(dir) = self;
        Pruner::new(dir)
    }

    /// Returns the size of all sets and packs.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn stored_bytes(&self) -> Result<u64, Error> {
        let Self::Dir(dir) = self;
        dir.stored_bytes()
    }
}
