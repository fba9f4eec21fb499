//! What can go wrong with a store.

use std::io;
use std::path::{Path, PathBuf};

use th_record::{ErrorKind, FORMAT, Fail, Id};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("cannot use '{}'", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no store at the path.
    #[error("there is no store at '{}'", .0.display())]
    Missing(PathBuf),
    /// The directory is not a store.
    #[error("'{}' is not a store: it has files, but no store.json", .0.display())]
    Foreign(PathBuf),
    /// The store's marker cannot be read.
    #[error("'{}' is damaged", path.display())]
    Marker {
        /// The marker.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The store or the set is of a format that this tool does not know yet.
    #[error("{what} has format {format}; this tool reads up to {FORMAT}")]
    Newer {
        /// The store, or the set.
        what: String,
        /// Its format.
        format: u64,
    },
    /// No set is what was asked for.
    #[error("no set is '{0}'")]
    NotFound(String),
    /// Several sets are what was asked for.
    #[error("'{prefix}' is the start of {}", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The ids that begin with it.
        candidates: Vec<String>,
    },
    /// The set that was asked for cannot be read.
    #[error("set '{name}' cannot be read: {reason}")]
    Unreadable {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
        /// Whether its format is newer than this tool.
        newer: bool,
    },
    /// A set of this id is there or being written.
    #[error("a set '{0}' exists already")]
    Exists(Id),
    /// Somebody else is at work in the store.
    #[error("{0}")]
    Busy(&'static str),
    /// What the manifest lists is not what was written.
    #[error("set '{id}' cannot be published: '{name}' {problem}")]
    Incomplete {
        /// The set.
        id: Id,
        /// The object or pack.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A manifest is not one of ours.
    #[error("the manifest of set '{set}' is damaged at '{field}'")]
    Manifest {
        /// The set.
        set: String,
        /// The field that is missing, unknown or of the wrong type.
        field: String,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A set's directory has no manifest. Sets are published whole, so it was lost.
    #[error("set '{0}' has no manifest")]
    NoManifest(Id),
    /// A set's SHA256SUMS does not agree with its manifest.
    #[error("SHA256SUMS of set '{0}' does not agree with its manifest")]
    Sums(Id),
    /// What a set holds is gone, or not as large as it was.
    #[error("'{name}' of set '{set}' is damaged: {problem}")]
    Object {
        /// The set.
        set: Id,
        /// The object.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A pack does not hold what sets say.
    #[error("pack '{name}' is damaged: {problem}")]
    Pack {
        /// The pack.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A set's proof is damaged or of another set.
    #[error("the proof of set '{set}' is void: {reason}")]
    Proof {
        /// The set.
        set: Id,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// Returns what makes an I/O error on `path` one of ours.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } => ErrorKind::of_io(source),
            Self::Missing(_) | Self::NotFound(_) => ErrorKind::NotFound,
            Self::Foreign(_) | Self::Newer { .. } | Self::Unreadable { newer: true, .. } => {
                ErrorKind::Format
            }
            Self::Ambiguous { .. } => ErrorKind::Usage,
            Self::Exists(_) | Self::Busy(_) => ErrorKind::Locked,
            Self::Incomplete { .. }
            | Self::Marker { .. }
            | Self::Manifest { .. }
            | Self::NoManifest(_)
            | Self::Sums(_)
            | Self::Object { .. }
            | Self::Pack { .. }
            | Self::Proof { .. }
            | Self::Unreadable { newer: false, .. } => ErrorKind::Content,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Foreign(_) => Some("give an empty or a new directory".into()),
            Self::Newer { .. } | Self::Unreadable { newer: true, .. } => {
                Some("use a newer version of this tool".into())
            }
            Self::NotFound(_) => Some("th-restore list shows the sets there are".into()),
            Self::Ambiguous { .. } => Some("give more of the id".into()),
            Self::Busy(_) => Some("wait for it to end; a dead process holds no lock".into()),
            Self::Pack { .. } => Some("th-restore verify names the sets that are damaged".into()),
            Self::Proof { .. } => Some("th-restore verify proves the set anew".into()),
            Self::Missing(_) => {
                Some("is the path right? th-backup makes it with the first set".into())
            }
            Self::Unreadable { newer: false, .. }
            | Self::Manifest { .. }
            | Self::NoManifest(_)
            | Self::Sums(_)
            | Self::Object { .. } => {
                Some("do not count on this set; th-restore list shows the others".into())
            }
            Self::Io { .. } | Self::Marker { .. } | Self::Exists(_) | Self::Incomplete { .. } => {
                None
            }
        }
    }
}
