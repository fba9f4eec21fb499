//! A store in a directory: its marker and its layout.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use th_archive::atomic;
use th_record::{FORMAT, Id};

use crate::Error;
use crate::lease::Leases;

pub(crate) const MARKER: &str = "store.json";

/// What shows that a directory is a store, so that nothing is ever swept or pruned elsewhere.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    format: u32,
}

/// A store in a directory of this host.
#[derive(Debug, Clone)]
pub struct DirStore {
    root: PathBuf,
    pub(crate) leases: Leases,
}

impl DirStore {
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        let path = root.join(MARKER);
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(if root.is_dir() {
                    Error::Foreign(root.to_owned())
                } else {
                    Error::Missing(root.to_owned())
                });
            }
            Err(source) => return Err(Error::Io { path, source }),
        };
        // A newer marker may have fields that this version does not know.
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|source| Error::Marker {
                path: path.clone(),
                source,
            })?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format > u64::from(FORMAT) => Err(Error::Newer {
                what: format!("the store '{}'", root.display()),
                format,
            }),
            _ => serde_json::from_value::<Marker>(value)
                .map(|_| Self::new(root))
                .map_err(|source| Error::Marker { path, source }),
        }
    }

    pub(crate) fn create(root: &Path) -> Result<Self, Error> {
        if let Some(parent) = root.parent() {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        make_dir(root)?;
        match Self::open(root) {
            Err(Error::Foreign(_)) if is_vacant(root).map_err(Error::io(root))? => {
                let marker = serde_json::json!(Marker { format: FORMAT }).to_string() + "\n";
                let path = root.join(MARKER);
                atomic::write(&path, marker.as_bytes()).map_err(Error::io(&path))?;
            }
            opened => {
                opened?;
            }
        }
        let store = Self::new(root);
        // Also those of a store whose creation was cut short after the marker.
        for dir in [store.sets_dir(), store.packs_dir(), store.incoming_dir()] {
            make_dir(&dir)?;
        }
        Ok(store)
    }

    fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            leases: Leases::default(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn sets_dir(&self) -> PathBuf {
        self.root.join("sets")
    }

    pub(crate) fn set_dir(&self, id: &Id) -> PathBuf {
        self.sets_dir().join(id.as_str())
    }

    pub(crate) fn packs_dir(&self) -> PathBuf {
        self.root.join("packs")
    }

    pub(crate) fn trash_dir(&self) -> PathBuf {
        self.root.join("trash")
    }

    pub(crate) fn incoming_dir(&self) -> PathBuf {
        self.root.join("incoming")
    }
}

/// Creates a directory that only its owner can enter; one that is there is left as it is.
pub(crate) fn make_dir(path: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Error::Io {
            path: path.to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}

/// Tells whether a directory holds nothing that is anybody's. The state is of a tool that was given it
/// as a store before it was one.
fn is_vacant(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let name = name.as_encoded_bytes();
        let is_known = [&b"lost+found"[..], b"state"].contains(&name);
        if !is_known && !name.starts_with(atomic::TEMPORARY.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Opens a regular file. A link or a pipe that was put in its place is refused.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    open_sized(path).map(|(file, _)| file)
}

/// As [`open_regular`], also for writing.
pub(crate) fn open_writable(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true).write(true), path).map(|(file, _)| file)
}

/// As [`open_regular`], with the file's size.
pub(crate) fn open_sized(path: &Path) -> io::Result<(File, u64)> {
    open_with(OpenOptions::new().read(true), path)
}

fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<(File, u64)> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata.len()))
    } else {
        Err(io::Error::other("not a regular file"))
    }
}

/// Reads a regular file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, size) = open_sized(path)?;
    // In one call, mostly, where `read_to_end` begins with small ones and ends with an empty one.
    let mut bytes = vec![0; size as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
