//! What can go wrong with an archive.

use std::io;
use std::path::{Path, PathBuf};

use th_record::{ErrorKind, Fail};

use crate::EntryPath;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused, or the work was stopped.
    #[error("cannot use '{}'", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A pattern of files to exclude is not a glob.
    #[error("'{pattern}' is not a pattern")]
    Glob {
        /// The pattern.
        pattern: String,
        /// Why.
        source: globset::Error,
    },
    /// A listing is cut short, out of order or not one of ours.
    #[error("line {line} of the listing is damaged")]
    Listing {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        source: io::Error,
    },
    /// A pack cannot be read to the end of what is wanted of it.
    #[error("cannot read the pack '{pack}'")]
    Pack {
        /// The pack.
        pack: String,
        /// Why.
        source: io::Error,
    },
    /// An archive holds something that no writer of ours puts there.
    #[error("'{member}' in '{archive}' {problem}")]
    Hostile {
        /// The archive.
        archive: String,
        /// Its member.
        member: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What was read is not what the listing says.
    #[error("the content of '{path}' in the pack '{pack}' {problem}")]
    Content {
        /// The file.
        path: EntryPath,
        /// The pack.
        pack: String,
        /// How it differs.
        problem: &'static str,
    },
    /// A configuration file that is named cannot be put in the set.
    #[error("cannot read the configuration file '{name}'")]
    Config {
        /// Its name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// Returns what makes an I/O error on `path` one of ours.
    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            path: path.as_ref().to_owned(),
            source,
        }
    }

    /// Returns what makes an I/O error on the configuration file `name` one of ours.
    pub(crate) fn config(name: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Config {
            name: name.display().to_string(),
            source,
        }
    }
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } => ErrorKind::of_io(source),
            Self::Glob { .. } => ErrorKind::Config,
            Self::Config { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => ErrorKind::NotFound,
                // The name leads out of the root.
                io::ErrorKind::InvalidInput => ErrorKind::Config,
                _ => ErrorKind::of_io(source),
            },
            Self::Listing { .. }
            | Self::Pack { .. }
            | Self::Hostile { .. }
            | Self::Content { .. } => ErrorKind::Content,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Config { .. } => Some("correct 'files.config' in th.toml".into()),
            Self::Listing { .. }
            | Self::Pack { .. }
            | Self::Hostile { .. }
            | Self::Content { .. } => {
                Some("th-restore verify says whether a set holds; another may".into())
            }
            Self::Io { .. } | Self::Glob { .. } => None,
        }
    }
}
