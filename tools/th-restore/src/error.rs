//! Why a restore failed.

use std::io;
use std::path::{Path, PathBuf};

use th_record::{ErrorKind, Fail, Id};

/// An error of this tool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] th_config::Error),
    /// The records of the tools before this one.
    #[error(transparent)]
    Upstream(#[from] th_record::Refusal),
    /// The lock or the state.
    #[error(transparent)]
    State(#[from] th_state::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] th_store::Error),
    /// The database.
    #[error(transparent)]
    Postgres(#[from] th_postgres::Error),
    /// Unpacking.
    #[error(transparent)]
    Archive(#[from] th_archive::Error),
    /// The proof.
    #[error(transparent)]
    Proof(#[from] th_proof::Error),
    /// The file system.
    #[error("cannot use '{}'", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The set lacks what is to be restored, or nothing says where to.
    #[error("{0}")]
    Nothing(&'static str),
    /// The flags do not fit together.
    #[error("{0}")]
    Usage(&'static str),
    /// The directory to restore into has something in it.
    #[error("'{}' is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The database to restore into is there already.
    #[error("database '{0}' exists already")]
    Exists(String),
    /// The names of the databases beside it would be cut off.
    #[error(
        "the name of database '{0}' is longer than the 33 bytes that leave room for '_restore_' and an id"
    )]
    LongName(String),
    /// There is not enough space.
    #[error("'{path}' needs about {needed} and has {free} free")]
    Space {
        /// A directory on the file system.
        path: String,
        /// An upper estimate.
        needed: String,
        /// What there is.
        free: String,
    },
    /// The set is not what its manifest says.
    #[error("set '{set}' does not hold: {what} '{name}' differs, and {more} more")]
    Content {
        /// The set.
        set: Id,
        /// What differs first.
        what: String,
        /// Its name.
        name: String,
        /// How many others differ.
        more: usize,
    },
    /// There is no restore to take back.
    #[error("there is no restore to take back")]
    NoRestore,
    /// What the last restore kept is gone.
    #[error("database '{0}', which the last restore kept, is gone")]
    Gone(String),
    /// The switch failed, and the old state is live again.
    #[error("the switch failed and was taken back")]
    RolledBack(#[source] Box<Error>),
    /// The switch failed, and so did taking it back.
    #[error("the switch failed half way")]
    HalfWay(#[source] Box<Error>),
}

impl Error {
    /// Returns a function that wraps an I/O error on `path`.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            path: path.clone(),
            source,
        }
    }
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(error) => error.kind(),
            Self::Upstream(error) => error.kind(),
            Self::State(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Postgres(error) => error.kind(),
            Self::Archive(error) => error.kind(),
            Self::Proof(error) => error.kind(),
            Self::Io { source, .. } => ErrorKind::of_io(source),
            Self::Nothing(_) => ErrorKind::NotFound,
            Self::Usage(_) => ErrorKind::Usage,
            Self::NotEmpty(_) | Self::Exists(_) | Self::LongName(_) | Self::Space { .. } => {
                ErrorKind::Gate
            }
            Self::Content { .. } => ErrorKind::Content,
            Self::NoRestore | Self::Gone(_) => ErrorKind::NotFound,
            Self::RolledBack(_) => ErrorKind::RolledBack,
            Self::HalfWay(_) => ErrorKind::HalfWay,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Upstream(error) => error.hint(),
            Self::State(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Postgres(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::Proof(error) => error.hint(),
            Self::Content { .. } => Some(
                "nothing live was touched; restore another set, th-restore list shows them".into(),
            ),
            Self::NotEmpty(_) => Some("give a directory that is empty or not there yet".into()),
            Self::Exists(name) => Some(format!("give another name, or drop it: dropdb {name}")),
            Self::Space { .. } => Some("make room first; th-restore gc drops what is kept".into()),
            Self::HalfWay(_) => Some(
                "put right what is wrong and run any th-restore command: it goes on from here"
                    .into(),
            ),
            Self::Io { .. }
            | Self::Nothing(_)
            | Self::Usage(_)
            | Self::LongName(_)
            | Self::NoRestore
            | Self::Gone(_)
            | Self::RolledBack(_) => None,
        }
    }
}
