//! Why a prune failed.

use std::io;
use std::path::{Path, PathBuf};

use th_record::{ErrorKind, Fail};

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
    /// The Docker engine.
    #[error(transparent)]
    Docker(#[from] th_docker::Error),
    /// The database.
    #[error(transparent)]
    Postgres(#[from] th_postgres::Error),
    /// Nothing says what to keep.
    #[error("no rule says what to keep")]
    EmptyPolicy,
    /// The arguments do not fit together, or th.toml lacks what they need.
    #[error("{0}")]
    Usage(&'static str),
    /// A line of the input does not say what is asked about.
    #[error("line {line} of the input {problem}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// No set in the trash is what was asked for.
    #[error("no set in the trash is '{0}'")]
    NotInTrash(String),
    /// Several sets in the trash are what was asked for.
    #[error("'{prefix}' is the start of {}", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The ids that begin with it.
        candidates: Vec<String>,
    },
    /// SIGINT or SIGTERM asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// The file system.
    #[error("cannot use '{}'", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
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
            Self::Docker(error) => error.kind(),
            Self::Postgres(error) => error.kind(),
            Self::EmptyPolicy => ErrorKind::Usage,
            Self::Usage(_) | Self::Ambiguous { .. } => ErrorKind::Usage,
            Self::Line { .. } => ErrorKind::Upstream,
            Self::NotInTrash(_) => ErrorKind::NotFound,
            Self::Cancelled => ErrorKind::Interrupted,
            Self::Io { source, .. } => ErrorKind::of_io(source),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Upstream(error) => error.hint(),
            Self::State(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Docker(error) => error.hint(),
            Self::Postgres(error) => error.hint(),
            Self::EmptyPolicy => Some(
                "give a rule, such as --keep-daily 30, or [env.NAME.retention] keep_daily = 30 in \
                 th.toml"
                    .into(),
            ),
            Self::Line { .. } => {
                Some("each line is a JSON object with id and started_at, in RFC 3339".into())
            }
            Self::NotInTrash(_) => Some("th-prune sets --plan shows what is in the trash".into()),
            Self::Ambiguous { .. } => Some("give more of the id".into()),
            Self::Usage(_) | Self::Cancelled | Self::Io { .. } => None,
        }
    }
}
