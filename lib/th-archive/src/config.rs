//! The configuration files of a set: few and small, in a tar of their own.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use rustix::fs::{FileType, fstat};
use th_record::{CONFIG, Object};

use crate::entry::file_type;
use crate::member::{self, write_end, write_header, write_padding};
use crate::{Compression, Digest, EntryPath, Error, Meta, Stored};

/// The largest file that is taken for configuration: they are held in memory.
const LARGEST: u64 = 16 << 20;

/// A configuration file as it was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its name, relative to the root.
    pub name: EntryPath,
    /// The permission bits.
    pub mode: u32,
    /// The owner.
    pub uid: u64,
    /// The group.
    pub gid: u64,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The hash of that.
    pub sha256: Digest,
}

/// Writes the files `names`, relative to `root`, to the object `stem` in `dir`. Links are followed:
/// who names a file means its content.
///
/// # Errors
/// [`Error::Config`] when a file is missing or cannot be read, is larger than 16 MiB, or its name
/// leads out of the root; [`Error::Io`].
pub fn write(
    dir: &Path,
    stem: &str,
    root: &Path,
    names: &[impl AsRef<Path>],
    compression: Compression,
) -> Result<Object, Error> {
    let mut stored = Stored::create(dir, stem, compression).map_err(Error::io(dir))?;
    let names: BTreeSet<&Path> = names.iter().map(AsRef::as_ref).collect();
    for name in names {
        let (path, meta, bytes) = load(root, name).map_err(Error::config(name))?;
        let size = bytes.len() as u64;
        write_header(&mut stored, &path, &meta, size)
            .and_then(|()| stored.write_all(&bytes))
            .and_then(|()| write_padding(&mut stored, size))
            .map_err(Error::io(dir))?;
    }
    write_end(&mut stored)
        .and_then(|()| stored.finish())
        .map(|finished| finished.object)
        .map_err(Error::io(dir))
}

/// Checks that [`write`] can read the files `names`, relative to `root`.
///
/// # Errors
/// [`Error::Config`], as [`write`].
pub fn check(root: &Path, names: &[impl AsRef<Path>]) -> Result<(), Error> {
    for name in names.iter().map(AsRef::as_ref) {
        load(root, name).map_err(Error::config(name))?;
    }
    Ok(())
}

fn load(root: &Path, name: &Path) -> io::Result<(EntryPath, Meta, Vec<u8>)> {
    let path =
        EntryPath::new(name).map_err(|bad| io::Error::new(io::ErrorKind::InvalidInput, bad))?;
    let file = File::open(root.join(&path))?;
    let stat = fstat(&file)?;
    if file_type(&stat) != FileType::RegularFile {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok((path, Meta::new(&stat), bytes))
}

/// Reads the files back from the tar that `reader` gives, in the order of their names.
///
/// # Errors
/// [`Error::Hostile`] when there is anything in it that [`write`] does not write, [`Error::Pack`]
/// when it cannot be read to its end.
pub fn read(reader: impl Read) -> Result<Vec<ConfigFile>, Error> {
    let failed = |source| Error::Pack {
        pack: CONFIG.to_owned(),
        source,
    };
    let mut files: Vec<ConfigFile> = Vec::new();
    for entry in tar::Archive::new(reader).entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let name = member::path(CONFIG, &entry)?;
        let hostile = |problem| Error::Hostile {
            archive: CONFIG.to_owned(),
            member: name.to_string(),
            problem,
        };
        if entry.size() > LARGEST {
            return Err(hostile("is larger than 16 MiB"));
        }
        if files.iter().any(|file| file.name == name) {
            return Err(hostile("occurs twice"));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 != entry.size() {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        let header = entry.header();
        files.push(ConfigFile {
            mode: header.mode().map_err(failed)? & 0o7777,
            uid: header.uid().map_err(failed)?,
            gid: header.gid().map_err(failed)?,
            sha256: Digest::of(&bytes),
            bytes,
            name,
        });
    }
    Ok(files)
}
