//! What can go wrong with a PostgreSQL server and its programs.

use std::io;

use th_record::{ErrorKind, Fail};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Docker, or the server's container.
    #[error(transparent)]
    Docker(#[from] th_docker::Error),
    /// The address is not one.
    #[error("the database URL {0}")]
    Url(&'static str),
    /// A client program is not installed.
    #[error("cannot run '{program}'")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The server cannot be reached, or lets nobody in.
    #[error("cannot connect to {server}: {message}")]
    Connect {
        /// The server, without any password.
        server: String,
        /// What the server or the client said.
        message: String,
    },
    /// There is no such database.
    #[error("{server} has no database '{database}'")]
    NoDatabase {
        /// The server.
        server: String,
        /// The database.
        database: String,
    },
    /// The connection broke.
    #[error("the connection to the server broke: {0}")]
    Lost(String),
    /// The connection broke at a commit, and the server cannot be asked how that went.
    #[error("the connection broke at the commit, and whether that went through is not known")]
    InDoubt(#[source] Box<Error>),
    /// The server refused a statement.
    #[error("{message} (SQLSTATE {sqlstate})")]
    Sql {
        /// The five characters.
        sqlstate: String,
        /// What the server said.
        message: String,
    },
    /// A client program failed.
    #[error("{program} failed with status {status}: {stderr}")]
    Program {
        /// The program.
        program: String,
        /// Its exit status; -1 for a signal.
        status: i64,
        /// The end of what it said.
        stderr: String,
    },
    /// The stream to or from a client program broke.
    #[error("the stream of {program} broke")]
    Stream {
        /// The program.
        program: String,
        /// How.
        source: io::Error,
    },
    /// The answer of the server is not of the expected shape.
    #[error("the server's answer cannot be read")]
    Answer(#[source] serde_json::Error),
    /// The host's client programs are older than the server.
    #[error("{program} is version {client}, older than the server's {server}")]
    OldClient {
        /// The program.
        program: String,
        /// Its major version.
        client: u32,
        /// The server's major version.
        server: u32,
    },
    /// The server is older than this tool supports.
    #[error("the server is version {0}; 12 is the oldest supported")]
    OldServer(u32),
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Docker(error) => error.kind(),
            Self::Url(_) => ErrorKind::Config,
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Start { source, .. } | Self::Stream { source, .. } => ErrorKind::of_io(source),
            Self::Connect { .. } | Self::Lost(_) | Self::InDoubt(_) => ErrorKind::Unreachable,
            Self::NoDatabase { .. } => ErrorKind::NotFound,
            // disk_full, as the server has it
            Self::Sql { sqlstate, .. } if sqlstate == "53100" => ErrorKind::NoSpace,
            Self::Program { stderr, .. } if stderr.contains("No space left on device") => {
                ErrorKind::NoSpace
            }
            Self::Sql { .. } | Self::Program { .. } | Self::Answer(_) => ErrorKind::Database,
            Self::OldClient { .. } | Self::OldServer(_) => ErrorKind::Gate,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Docker(error) => error.hint(),
            Self::Url(_) => Some("write postgres://user:password@host:5432/database".into()),
            Self::Start { .. } => Some("install it: apt-get install postgresql-client".into()),
            Self::OldClient { server, .. } => Some(format!(
                "install it: apt-get install postgresql-client-{server}"
            )),
            // lock_not_available
            Self::Sql { sqlstate, .. } if sqlstate == "55P03" => {
                Some("another session holds a table: try again when it is done".into())
            }
            // object_in_use
            Self::Sql { sqlstate, .. } if sqlstate == "55006" => Some(
                "its sessions are ended, but not its prepared transactions: see pg_prepared_xacts"
                    .into(),
            ),
            // pg_dump's --lock-wait-timeout is a statement timeout to the server.
            Self::Program { stderr, .. } if stderr.contains("statement timeout") => {
                Some("another session holds a table: try again when it is done".into())
            }
            Self::Connect { .. }
            | Self::NoDatabase { .. }
            | Self::Lost(_)
            | Self::InDoubt(_)
            | Self::Sql { .. }
            | Self::Program { .. }
            | Self::Stream { .. }
            | Self::Answer(_)
            | Self::OldServer(_) => None,
        }
    }
}
