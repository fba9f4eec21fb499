//! The proof of the level `bytes`: every stored byte is what the manifest says.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;
use th_archive::{Digest, Watch};
use th_record::{Difference, Manifest, Object};

use crate::damaged::name_of;
use crate::dir::{DirStore, open_regular};
use crate::{Error, manifest, proof, sums};

/// What reading a set again has shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bytes {
    /// How many bytes were read.
    pub bytes: u64,
    /// Every object and pack that is not what the manifest says: `object` or `pack`.
    pub differences: Vec<Difference>,
    /// What is in the set's directory but not in the manifest.
    pub unknown: Vec<String>,
    /// The files of packs that are there with other bytes, and what was found of each.
    pub damaged: Vec<(String, String)>,
    /// The files of packs that were read and hold.
    pub sound: Vec<String>,
}

impl DirStore {
    pub(crate) fn verify_bytes(
        &self,
        manifest: &Manifest,
        trusted: &HashSet<String>,
        watch: &mut Watch<'_>,
    ) -> Result<Bytes, Error> {
        self.load(&manifest.id)?;
        let set = self.set_dir(&manifest.id);
        let mut found = Bytes {
            unknown: unknown(&set, manifest)?,
            ..Bytes::default()
        };
        for object in &manifest.objects {
            found.check("object", &set, object, watch)?;
        }
        let packs = manifest.files.iter().flat_map(|files| &files.packs);
        for pack in packs.filter(|pack| !trusted.contains(&pack.name)) {
            let before = found.differences.len();
            let moved = self.moved(&pack.name);
            match &moved {
                Ok(Some(moved)) => found.check_moved(moved, pack, watch)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    found.differ("pack", pack, None);
                }
                Ok(None) | Err(_) => found.check("pack", &self.packs_dir(), pack, watch)?,
            }
            let name = name_of(moved.ok().flatten().as_deref(), &pack.name);
            match found.differences.get(before).map(|it| it.found.clone()) {
                Some(Some(what)) => found.damaged.push((name, what)),
                Some(None) => {}
                None => found.sound.push(name),
            }
        }
        Ok(found)
    }
}

impl Bytes {
    /// Checks the pack that took the place of another: its name is the hash of its bytes.
    fn check_moved(
        &mut self,
        path: &Path,
        pack: &Object,
        watch: &mut Watch<'_>,
    ) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (sha256, _) = name.split_once('.').unwrap_or((&name, ""));
        let bytes = path.metadata().map_err(Error::io(path))?.len();
        let moved = Object {
            name: name.clone().into_owned(),
            bytes,
            sha256: sha256.to_owned(),
        };
        let before = self.differences.len();
        self.check("pack", &path.with_file_name(""), &moved, watch)?;
        // What the set names is what is told.
        for difference in &mut self.differences[before..] {
            difference.name.clone_from(&pack.name);
        }
        Ok(())
    }

    fn check(
        &mut self,
        what: &str,
        dir: &Path,
        object: &Object,
        watch: &mut Watch<'_>,
    ) -> Result<(), Error> {
        let path = dir.join(&object.name);
        let found = match open_regular(&path) {
            Ok(file) => match Digest::of_reader(file, &path, watch) {
                Ok((sha256, bytes)) => {
                    self.bytes += bytes;
                    Some(show(bytes, &sha256.to_string()))
                }
                // The disk has lost it: that is damage too.
                Err(error) if Errno::from_io_error(&error) == Some(Errno::IO) => {
                    Some(error.to_string())
                }
                Err(error) => return Err(Error::io(&path)(error)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io(&path)(error)),
        };
        self.differ(what, object, found);
        Ok(())
    }

    /// Notes what was found in place of an object, if it is not the object.
    fn differ(&mut self, what: &str, object: &Object, found: Option<String>) {
        let expected = Some(show(object.bytes, &object.sha256));
        if found != expected {
            self.differences.push(Difference {
                what: what.to_owned(),
                name: object.name.clone(),
                expected,
                found,
            });
        }
    }
}

fn show(bytes: u64, sha256: &str) -> String {
    format!("{bytes} bytes, sha256 {sha256}")
}

fn unknown(set: &Path, manifest: &Manifest) -> Result<Vec<String>, Error> {
    let known: HashSet<&str> = (manifest.objects.iter())
        .map(|object| object.name.as_str())
        .chain([manifest::NAME, sums::NAME, proof::NAME])
        .collect();
    let mut unknown = Vec::new();
    for entry in fs::read_dir(set).map_err(Error::io(set))? {
        let name = entry.map_err(Error::io(set))?.file_name();
        let name = name.to_string_lossy();
        if !known.contains(name.as_ref()) {
            unknown.push(name.into_owned());
        }
    }
    unknown.sort();
    Ok(unknown)
}
