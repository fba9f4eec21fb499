//! What can go wrong with a PostgreSQL server and its programs.

use std::io;

use th_record::{ErrorKind, Fail};

use crate::cause::{DENIED, DENIED_STATE, NEWER, of_sqlstate, of_words, says};

const DENIED_HINT: &str =
    "connect as a superuser: some of what a database may hold only a superuser can restore";

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
    /// The server has the database, and does not let us in there.
    #[error("{server} does not let us into database '{database}': {message}")]
    Closed {
        /// The server, without any password.
        server: String,
        /// The database.
        database: String,
        /// What the server said.
        message: String,
    },
    /// A new database's name would be cut off.
    #[error("the name '{0}' is longer than the 63 bytes that PostgreSQL keeps")]
    LongName(String),
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
        /// Its exit status; 128 and the signal's number if a signal ended it.
        status: i64,
        /// The end of what it said.
        stderr: String,
        /// The language of what it printed of the server's, unless that is English for sure.
        language: Option<String>,
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
    /// The host's `pg_restore` sends what the server does not know.
    #[error(
        "pg_restore is version {client}, which cannot restore into a server before 17: this is {server}"
    )]
    NewClient {
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
            Self::Connect { .. } | Self::Closed { .. } | Self::Lost(_) | Self::InDoubt(_) => {
                ErrorKind::Unreachable
            }
            Self::NoDatabase { .. } => ErrorKind::NotFound,
            Self::Sql { sqlstate, .. } => of_sqlstate(sqlstate),
            // SIGKILL, SIGTERM: by the end of its container, or of memory.
            Self::Program {
                status: 137 | 143, ..
            } => ErrorKind::Unreachable,
            Self::Program {
                stderr, language, ..
            } => match of_words(stderr) {
                // It may be any of the others, in words that are not read.
                ErrorKind::Database if language.is_some() => ErrorKind::Gate,
                kind => kind,
            },
            Self::Answer(_) => ErrorKind::Database,
            Self::LongName(_)
            | Self::OldClient { .. }
            | Self::NewClient { .. }
            | Self::OldServer(_) => ErrorKind::Gate,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Docker(error) => error.hint(),
            Self::Url(_) => Some("write postgres://user:password@host:5432/database".into()),
            Self::Start { .. } => Some("install it: apt-get install postgresql-client".into()),
            Self::OldClient { server, .. } | Self::NewClient { server, .. } => Some(format!(
                "install it: apt-get install postgresql-client-{server}"
            )),
            Self::Sql { sqlstate, .. } if sqlstate == DENIED_STATE => Some(DENIED_HINT.into()),
            Self::Program { stderr, .. } if says(stderr, &DENIED) => Some(DENIED_HINT.into()),
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
            Self::Program { stderr, .. } if stderr.contains(NEWER) => {
                Some("a newer pg_dump made it: install the client programs of that version".into())
            }
            Self::Program {
                language: Some(language),
                ..
            } => Some(format!(
                "the server answers in '{language}', of which no cause is taken: connect as a \
                 superuser, or ALTER ROLE … SET lc_messages = 'C'"
            )),
            Self::Closed { .. } => Some(
                "ALTER DATABASE … ALLOW_CONNECTIONS true opens one that was closed; th-restore \
                 apply puts a set in the place of one that is damaged"
                    .into(),
            ),
            Self::LongName(_) => Some("give a shorter name".into()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_in_trouble_is_told_from_one_that_refuses() {
        let kinds = ["42P01", "53100", "53300", "57P01", "58030", "08006"].map(of_sqlstate);
        assert_eq!(kinds[..2], [ErrorKind::Database, ErrorKind::NoSpace]);
        assert_eq!(kinds[2..], [ErrorKind::Unreachable; 4]);
        let program = |status, stderr: &str| {
            let (program, stderr) = ("pg_restore".to_owned(), stderr.to_owned());
            Error::Program {
                program,
                status,
                stderr,
                language: None,
            }
            .kind()
        };
        let lost = "pg_restore: error: could not execute query: FATAL:  the database system is \
                    shutting down\nserver closed the connection unexpectedly";
        assert_eq!(program(1, lost), ErrorKind::Unreachable);
        assert_eq!(program(137, ""), ErrorKind::Unreachable);
        assert_eq!(program(139, ""), ErrorKind::Database);
        let full = "pg_restore: error: COPY failed for table \"t\": ERROR:  could not extend file \
                    \"base/1/2\": wrote only 4096 of 8192 bytes\nHINT:  Check free disk space.";
        assert_eq!(program(1, full), ErrorKind::NoSpace);
        let newer = "pg_restore: error: unsupported version (1.16) in file header";
        assert_eq!(program(1, newer), ErrorKind::Gate);
        let denied = "pg_restore: error: could not execute query: ERROR:  permission denied to create \
                      event trigger \"e\"\nHINT:  Must be superuser to create an event trigger.";
        assert_eq!(program(1, denied), ErrorKind::Gate);
        assert_eq!(of_sqlstate("42501"), ErrorKind::Gate);
        let refused = "pg_restore: error: COPY failed for table \"t\": ERROR:  invalid input";
        assert_eq!(program(1, refused), ErrorKind::Database);
    }

    #[test]
    fn words_in_another_language_blame_nothing_on_the_set() {
        let kind = |stderr: &str| {
            Error::Program {
                program: "pg_restore".to_owned(),
                status: 1,
                stderr: stderr.to_owned(),
                language: Some("de_DE.UTF-8".to_owned()),
            }
            .kind()
        };
        let denied = "pg_restore: error: could not execute query: FEHLER:  keine Berechtigung";
        assert_eq!(kind(denied), ErrorKind::Gate);
        let lost = "pg_restore: error: server closed the connection unexpectedly";
        assert_eq!(kind(lost), ErrorKind::Unreachable);
    }
}
