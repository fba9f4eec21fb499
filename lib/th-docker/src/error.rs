//! What can go wrong between a tool and the Docker engine.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use th_record::{ErrorKind, Fail};

/// Whatever stands behind an error of this crate.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `$DOCKER_HOST` is not a unix socket.
    #[error("cannot use $DOCKER_HOST '{0}': it is not a unix:// socket")]
    Host(String),
    /// No engine answers.
    #[error("no docker engine answers on '{}'", socket.display())]
    Unreachable {
        /// The engine's socket.
        socket: PathBuf,
        /// Why.
        source: Source,
    },
    /// The engine did not answer in time.
    #[error("docker did not answer for '{object}' within {} s", limit.as_secs())]
    Timeout {
        /// The object of the call.
        object: String,
        /// How long was waited.
        limit: Duration,
    },
    /// No container matches.
    #[error("no such object in docker: '{0}'")]
    NotFound(String),
    /// More than one container matches.
    #[error("'{wanted}' is not one container but {}", names.join(", "))]
    Ambiguous {
        /// What was looked for.
        wanted: String,
        /// What was found.
        names: Vec<String>,
    },
    /// The container exists, and does not run.
    #[error("container '{0}' is not running")]
    NotRunning(String),
    /// The engine refused.
    #[error("docker refused '{object}' (status {status}): {message}")]
    Refused {
        /// The object of the call.
        object: String,
        /// The HTTP status.
        status: u16,
        /// The engine's words.
        message: String,
    },
    /// The engine's answer makes no sense.
    #[error("docker's answer for '{object}' is not understood")]
    Answer {
        /// The object of the call.
        object: String,
        /// Why.
        source: Source,
    },
    /// The runtime of the HTTP client cannot start.
    #[error("cannot start the docker client")]
    Runtime(#[source] io::Error),
    /// `/proc` does not tell who this process is.
    #[error("cannot tell this process from others")]
    Owner(#[source] io::Error),
    /// The program could not be started in its container.
    #[error("cannot run '{program}' in the container: {message}")]
    Program {
        /// The program.
        program: String,
        /// What the shell or the engine said.
        message: String,
    },
    /// The stream of a program broke, or was not read to its end.
    #[error("the stream of '{program}' broke")]
    Stream {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The caller's cancel flag was set.
    #[error("'{0}' was cancelled")]
    Cancelled(String),
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Host(_) => ErrorKind::Config,
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::NotRunning(_) => {
                ErrorKind::Unreachable
            }
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Ambiguous { .. }
            | Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Program { .. }
            | Self::Stream { .. } => ErrorKind::Docker,
            Self::Runtime(source) | Self::Owner(source) => ErrorKind::of_io(source),
            Self::Cancelled(_) => ErrorKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Host(_) => {
                Some("set DOCKER_HOST=unix:///path/to/docker.sock, or unset it".into())
            }
            Self::Unreachable { .. } => {
                Some("is dockerd running, and may this user use its socket (group docker)?".into())
            }
            Self::NotRunning(name) => Some(format!("start it: docker start {name}")),
            Self::Ambiguous { .. } => Some("name the container instead".into()),
            Self::Timeout { .. }
            | Self::NotFound(_)
            | Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Runtime(_)
            | Self::Owner(_)
            | Self::Program { .. }
            | Self::Stream { .. }
            | Self::Cancelled(_) => None,
        }
    }
}
