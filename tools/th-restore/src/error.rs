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
    /// There is no server where one is needed.
    #[error("{0}")]
    NoServer(&'static str),
    /// A table is to be restored into the live database.
    #[error("database '{0}' is the live one, and a table is restored beside it")]
    Live(String),
    /// A table that holds no rows of its own.
    #[error("table '{0}' is partitioned, and its rows are in its partitions")]
    Partitioned(String),
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
    /// A relative selector could mean sets of several sources.
    #[error("the store has sets of the {what} {}, and {given}", names.join(", "))]
    Mixed {
        /// `databases` or `environments`.
        what: &'static str,
        /// Their names.
        names: Vec<String>,
        /// What is given instead.
        given: String,
    },
    /// The last restore, or one that died, is of something else than what is given.
    #[error("the {which} restore is of {theirs}, which is not what is given")]
    OfAnother {
        /// `last`, or `unfinished`.
        which: &'static str,
        /// What it is of.
        theirs: String,
    },
    /// There was no database before the last restore.
    #[error("there was no database '{0}' before the last restore, so there is none to go back to")]
    NothingBefore(String),
    /// SIGINT or SIGTERM asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// There is no restore to take back.
    #[error("there is no restore to take back")]
    NoRestore,
    /// What the last restore kept is gone.
    #[error("{0}, which the last restore kept, is gone")]
    Gone(String),
    /// The switch failed, and the old state is live again.
    #[error("the switch failed and was taken back")]
    RolledBack(#[source] Box<Error>),
    /// The switch failed, and so did taking it back.
    #[error("the switch failed half way")]
    HalfWay(#[source] Box<Error>),
}

impl Error {
    /// Says that what is live is neither what it was nor what it is to be.
    pub(crate) fn half_way(self) -> Self {
        match self {
            Self::HalfWay(_) => self,
            error => Self::HalfWay(Box::new(error)),
        }
    }

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
            Self::Usage(_)
            | Self::NoServer(_)
            | Self::Live(_)
            | Self::Partitioned(_)
            | Self::Mixed { .. } => ErrorKind::Usage,
            Self::NotEmpty(_)
            | Self::Exists(_)
            | Self::LongName(_)
            | Self::OfAnother { .. }
            | Self::NothingBefore(_) => ErrorKind::Gate,
            Self::Cancelled => ErrorKind::Interrupted,
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
            Self::NoServer(_) => {
                Some("give --url or --container, or a [database] in th.toml".into())
            }
            Self::Live(_) => Some(
                "give another database, which is made if it is not there; apply --only db \
                 replaces the whole live one"
                    .into(),
            ),
            Self::Partitioned(_) => Some("name one of its partitions, or leave --table out".into()),
            Self::LongName(_) => {
                Some("give it a shorter name, or restore beside it: --only db --into NAME".into())
            }
            Self::Mixed { .. } => Some("name the set by its id: th-restore list shows them".into()),
            Self::OfAnother { .. } => Some(
                "give the environment or the flags of that restore: its database and its files"
                    .into(),
            ),
            Self::NothingBefore(name) => Some(format!(
                "drop it by hand if it is not wanted: dropdb {name}; th-restore apply SET --only \
                 files brings files back"
            )),
            Self::Nothing(_) => Some("th-restore show says what a set holds".into()),
            Self::NoRestore => Some(
                "only the last restore can be taken back, once, and until gc drops what it kept"
                    .into(),
            ),
            Self::Gone(_) => {
                Some("gc drops what is kept; restore a set, th-restore list shows them".into())
            }
            Self::RolledBack(error) => Some(error.hint().unwrap_or_else(|| {
                "what was live is live again: put right what is wrong and run it again".into()
            })),
            Self::HalfWay(_) => Some(
                "put right what is wrong and run th-restore gc: it goes on from here first, as \
                 apply, undo and verify do"
                    .into(),
            ),
            Self::Io { .. } | Self::Usage(_) | Self::Cancelled => None,
        }
    }
}
