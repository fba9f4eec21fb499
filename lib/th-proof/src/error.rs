//! What can keep a set from being proven, beside the set itself.

use th_record::{ErrorKind, Fail, Id};

/// An error of this crate. That a set does not hold is no error but the answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] th_store::Error),
    /// The server or one of its programs.
    #[error(transparent)]
    Postgres(#[from] th_postgres::Error),
    /// The Docker engine.
    #[error(transparent)]
    Docker(#[from] th_docker::Error),
    /// The set has no database, so there is nothing above `bytes` to prove.
    #[error("set '{0}' holds no database: nothing above 'bytes' can be proven")]
    NoDatabase(Id),
    /// No server is given to decode or restore with.
    #[error("no database server is given to prove set '{0}' with")]
    NoServer(Id),
    /// No query is configured for the level `app`.
    #[error("no app_query is configured, which the level 'app' runs")]
    NoQuery,
    /// The set's server and the one to prove with are too far apart.
    #[error("set '{set}' is of PostgreSQL {theirs}; the server is {ours}")]
    OldServer {
        /// The set.
        set: Id,
        /// The set's major version.
        theirs: u32,
        /// The server's.
        ours: u32,
    },
    /// Roles or extensions that the set needs are missing.
    #[error("the server lacks the {what} {}", names.join(", "))]
    Lacks {
        /// `roles` or `extensions`.
        what: &'static str,
        /// Their names.
        names: Vec<String>,
    },
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
    /// The scratch server did not come up.
    #[error("the scratch server did not come up within {seconds} s: {logs}")]
    Scratch {
        /// How long it was waited for.
        seconds: u64,
        /// The end of its log.
        logs: String,
    },
    /// The manifest lists no such object.
    #[error("set '{set}' has no '{name}'")]
    NoObject {
        /// The set.
        set: Id,
        /// The object, without the extension of its compression.
        name: String,
    },
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Postgres(error) => error.kind(),
            Self::Docker(error) => error.kind(),
            Self::NoDatabase(_) | Self::NoQuery => ErrorKind::Usage,
            Self::NoServer(_) => ErrorKind::Config,
            Self::OldServer { .. } | Self::Lacks { .. } | Self::Space { .. } => ErrorKind::Gate,
            Self::Scratch { .. } => ErrorKind::Docker,
            Self::NoObject { .. } => ErrorKind::Content,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Postgres(error) => error.hint(),
            Self::Docker(error) => error.hint(),
            Self::NoServer(_) => {
                Some("give --url or --container, or a [database] in th.toml".into())
            }
            Self::NoQuery => Some("set app_query under [env.NAME.backup] in th.toml".into()),
            Self::Lacks { what: "roles", .. } => {
                Some("create them first: globals.sql of the set has their definitions".into())
            }
            Self::Lacks { .. } => Some("install the packages that bring them".into()),
            Self::Space { .. } => Some("make room first; th-restore gc drops what is kept".into()),
            Self::NoDatabase(_)
            | Self::OldServer { .. }
            | Self::Scratch { .. }
            | Self::NoObject { .. } => None,
        }
    }
}
