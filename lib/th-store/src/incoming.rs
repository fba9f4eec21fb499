//! A set that is being written. It is published at once or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use th_archive::Digest;
use th_archive::atomic::fsync_dir;
use th_record::{Id, Manifest, Object};

use crate::dir::{DirStore, make_dir, open_regular};
use crate::sweep::lock;
use crate::{Error, Share, manifest, sums};

/// What the commands to restore by hand are called in the set.
const NOTES: &str = "RESTORE.md";

/// The directory that new packs are written to, within that of the set.
const PACKS: &str = "packs";

/// A set that is being written, in a directory of its own. Dropped unpublished, it is removed.
#[derive(Debug)]
pub struct Incoming {
    store: DirStore,
    id: Id,
    lock_path: PathBuf,
    /// Held for as long as the writer lives, so that a sweeper leaves the directory alone.
    _lock: File,
    /// Held as long, so that no pruner takes a pack away that the set will need.
    _share: Share,
}

/// A set that was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The manifest as written.
    pub manifest: Manifest,
    /// Its hash.
    pub manifest_sha256: String,
    /// The set's directory.
    pub path: PathBuf,
}

impl Incoming {
    pub(crate) fn begin(store: &DirStore, id: &Id) -> Result<Self, Error> {
        let lock_path = store.lock_path(id);
        let exists = || Error::Exists(id.clone());
        let share = store.share()?;
        let lock = lock(&lock_path)
            .map_err(Error::io(&lock_path))?
            .ok_or_else(exists)?;
        // From here on, dropping removes what is made.
        let incoming = Self {
            store: store.clone(),
            id: id.clone(),
            lock_path,
            _lock: lock,
            _share: share,
        };
        if store.set_dir(id).symlink_metadata().is_ok() {
            return Err(exists());
        }
        // Nobody held the lock, so what is there is a dead writer's.
        let part = incoming.dir();
        match fs::remove_dir_all(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(&part)(error));
            }
            _ => make_dir(&part)?,
        }
        make_dir(&incoming.packs_dir())?;
        Ok(incoming)
    }

    /// Returns the directory that the set's objects are written to.
    pub fn dir(&self) -> PathBuf {
        self.store.part_dir(&self.id)
    }

    /// Returns the directory that new packs are written to.
    pub fn packs_dir(&self) -> PathBuf {
        self.dir().join(PACKS)
    }

    /// Publishes the set: writes `notes` as RESTORE.md, moves the new packs to the others, writes
    /// SHA256SUMS and, last, the manifest, and gives the directory its final name. All is made
    /// durable before that. RESTORE.md is added to the manifest's objects.
    ///
    /// # Errors
    /// [`Error::Incomplete`] when an object or a pack of the manifest is not there, or something
    /// else is; [`Error::Exists`]; [`Error::Io`]. Nothing of the set is left then, but packs that
    /// were already moved.
    pub fn publish(self, mut manifest: Manifest, notes: &str) -> Result<Published, Error> {
        let (part, set) = (self.dir(), self.store.set_dir(&self.id));
        manifest
            .objects
            .push(write_object(&part, NOTES, notes.as_bytes())?);
        manifest.objects.sort_by(|a, b| a.name.cmp(&b.name));
        self.check_objects(&manifest)?;
        self.move_packs(&manifest)?;

        let path = part.join(manifest::NAME);
        let bytes = manifest::bytes(&manifest)
            .map_err(io::Error::from)
            .map_err(Error::io(&path))?;
        // What no reader would accept is not written.
        manifest::parse(self.id.as_str(), &bytes)?;
        let sums = sums::text(&manifest.objects, Digest::of(&bytes));
        write_object(&part, sums::NAME, sums.as_bytes())?;
        fsync_dir(&part).map_err(Error::io(&part))?;
        let written = write_object(&part, manifest::NAME, &bytes)?;
        fsync_dir(&part).map_err(Error::io(&part))?;

        // A directory is never renamed over one that has anything in it.
        fs::rename(&part, &set).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                Error::Exists(self.id.clone())
            }
            _ => Error::io(&set)(error),
        })?;
        for dir in [self.store.sets_dir(), self.store.incoming_dir()] {
            fsync_dir(&dir).map_err(|error| {
                // Nobody can count on it, so it is taken back, and removed with the rest.
                let _ = fs::rename(&set, &part);
                Error::io(&dir)(error)
            })?;
        }
        Ok(Published {
            manifest,
            manifest_sha256: written.sha256,
            path: set,
        })
    }

    /// Checks that the directory holds the manifest's objects and nothing else, durably.
    fn check_objects(&self, manifest: &Manifest) -> Result<(), Error> {
        let dir = self.dir();
        for object in &manifest.objects {
            self.check(&dir.join(&object.name), object)?;
        }
        for entry in fs::read_dir(&dir).map_err(Error::io(&dir))? {
            let name = entry.map_err(Error::io(&dir))?.file_name();
            if name != PACKS && !manifest.objects.iter().any(|o| *o.name == *name) {
                let name = name.to_string_lossy();
                return Err(self.incomplete(&name, "is not in the manifest"));
            }
        }
        Ok(())
    }

    /// Moves new packs to where all sets find them, and checks that every pack is there, durably.
    fn move_packs(&self, manifest: &Manifest) -> Result<(), Error> {
        let (from, to) = (self.packs_dir(), self.store.packs_dir());
        let mut made = Vec::new();
        for pack in manifest.files.iter().flat_map(|files| &files.packs) {
            let (new, path) = (from.join(&pack.name), to.join(&pack.name));
            if new.symlink_metadata().is_ok() {
                self.check(&new, pack)?;
                fs::rename(&new, &path).map_err(Error::io(&new))?;
                made.push(&pack.name);
            } else if let Ok(Some(moved)) = self.store.moved(&pack.name) {
                let synced = open_regular(&moved).and_then(|file| file.sync_all());
                synced.map_err(Error::io(&moved))?;
            } else {
                self.check(&path, pack)?;
            }
        }
        fsync_dir(&to).map_err(Error::io(&to))?;
        // A damaged pack that was made anew is whole again, for every set.
        for name in made {
            self.store.forget_damage(name)?;
        }
        fs::remove_dir(&from).map_err(Error::io(&from))
    }

    fn check(&self, path: &Path, object: &Object) -> Result<(), Error> {
        let file = match open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.incomplete(&object.name, "is missing"));
            }
            Err(error) => return Err(Error::io(path)(error)),
        };
        if file.metadata().map_err(Error::io(path))?.len() != object.bytes {
            return Err(self.incomplete(&object.name, "has another size than the manifest says"));
        }
        file.sync_all().map_err(Error::io(path))
    }

    fn incomplete(&self, name: &str, problem: &'static str) -> Error {
        Error::Incomplete {
            id: self.id.clone(),
            name: name.to_owned(),
            problem,
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What cannot be removed now is swept later. After publishing, only the lock is left.
        let _ = fs::remove_dir_all(self.dir());
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn write_object(dir: &Path, name: &str, bytes: &[u8]) -> Result<Object, Error> {
    let path = dir.join(name);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(Error::io(&path))?;
    Ok(Object {
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes).to_string(),
    })
}
