//! What can go wrong with an environment's state.

use std::io;
use std::path::PathBuf;

use th_record::{ErrorKind, Fail};

use crate::Holder;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A state file cannot be read or written.
    #[error("cannot use '{}'", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A state file is not what this tool wrote.
    #[error("'{}' is not a state file of this version", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// Another run holds the lock.
    #[error("locked by {}", holder.as_ref().map_or("another process".into(), ToString::to_string))]
    Locked {
        /// Who, if the lock file says.
        holder: Option<Holder>,
    },
    /// The file descriptor handed down does not hold this environment's lock.
    #[error("file descriptor {fd} of $TH_LOCK_FD does not hold the lock '{}'", path.display())]
    Inherited {
        /// The descriptor.
        fd: String,
        /// The lock file.
        path: PathBuf,
    },
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } => ErrorKind::of_io(source),
            Self::Format { .. } => ErrorKind::Format,
            Self::Locked { .. } => ErrorKind::Locked,
            Self::Inherited { .. } => ErrorKind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } | Self::Format { .. } => None,
            Self::Locked { .. } => Some("wait for it to end; a dead process holds no lock".into()),
            Self::Inherited { path, .. } => Some(format!(
                "run: exec 9>>'{}'; flock 9; export TH_LOCK_FD=9",
                path.display()
            )),
        }
    }
}
