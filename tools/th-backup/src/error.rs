//! Why a backup failed.

use std::io;
use std::path::PathBuf;

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
    /// The lock or the journal.
    #[error(transparent)]
    State(#[from] th_state::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] th_store::Error),
    /// The database.
    #[error(transparent)]
    Postgres(#[from] th_postgres::Error),
    /// Reading or packing files.
    #[error(transparent)]
    Archive(#[from] th_archive::Error),
    /// The proof.
    #[error(transparent)]
    Proof(#[from] th_proof::Error),
    /// Writing an object of the set.
    #[error("cannot write '{}'", path.display())]
    Write {
        /// The object.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading an object of the set again.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The object.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing to back up.
    #[error("nothing to back up: no database, no files and no configuration files are given")]
    Nothing,
    /// The files are partly of one state and partly of another.
    #[error("a restore of set '{0}' has died while it moved files: they are of two states")]
    HalfRestored(Id),
    /// The store's file system is too full.
    #[error("the store needs about {needed} and has {free} free")]
    Space {
        /// What an estimate by the last set says.
        needed: String,
        /// What there is.
        free: String,
    },
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
            Self::Write { source, .. } | Self::Read { source, .. } => ErrorKind::of_io(source),
            Self::Nothing => ErrorKind::Config,
            Self::HalfRestored(_) => ErrorKind::Gate,
            Self::Space { .. } => ErrorKind::NoSpace,
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
            Self::Write { .. } | Self::Read { .. } => None,
            Self::Nothing => {
                Some("give --url or --container, or --files, or an environment".into())
            }
            Self::HalfRestored(_) => {
                Some("th-restore gc ends it first; --no-files backs up the database alone".into())
            }
            Self::Space { .. } => Some("make room, or give another --store".into()),
        }
    }
}
