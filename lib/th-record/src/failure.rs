//! What a record says when a tool failed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Exit;

/// Why a tool failed. Each kind has exactly one exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The local file system refused.
    Io,
    /// A file system is full, or will be.
    NoSpace,
    /// PostgreSQL or one of its programs refused.
    Database,
    /// The Docker engine refused.
    Docker,
    /// The arguments do not fit together.
    Usage,
    /// The configuration is wrong.
    Config,
    /// Some items failed; the rest is done.
    Partial,
    /// The answer to the question asked is no.
    Negative,
    /// A set, database, container or file does not exist.
    NotFound,
    /// Another run holds the lock.
    Locked,
    /// A service cannot be reached, refuses the login, or timed out.
    Unreachable,
    /// The input record is bad, missing, failed, foreign or too old.
    Upstream,
    /// A condition that must hold before the tool acts does not.
    Gate,
    /// The set's format is newer than this tool, or not a format of ours.
    Format,
    /// Stored bytes or restored content differ from the manifest.
    Content,
    /// Failed, and the old state runs again.
    RolledBack,
    /// Failed half way.
    HalfWay,
    /// SIGHUP: the terminal is gone.
    HungUp,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl ErrorKind {
    /// Returns the exit status of this kind of failure.
    pub fn exit(self) -> Exit {
        match self {
            Self::Io | Self::NoSpace | Self::Database | Self::Docker => Exit::Failed,
            Self::Usage | Self::Config => Exit::Usage,
            Self::Partial => Exit::Partial,
            Self::Negative => Exit::Negative,
            Self::NotFound => Exit::NotFound,
            Self::Locked => Exit::Locked,
            Self::Unreachable => Exit::Unreachable,
            Self::Upstream | Self::Gate | Self::Format => Exit::Gate,
            Self::Content => Exit::Content,
            Self::RolledBack => Exit::RolledBack,
            Self::HalfWay => Exit::HalfWay,
            Self::HungUp => Exit::HungUp,
            Self::Interrupted => Exit::Interrupted,
            Self::Terminated => Exit::Terminated,
        }
    }

    /// Returns what to do next where that is the same whoever fails.
    fn hint(self) -> Option<String> {
        match self {
            Self::NoSpace => Some(
                "make room and run it again; th-prune frees what old sets, images and logs take"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Classifies an I/O error: full disks and quotas apart from the rest.
    pub fn of_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::NoSpace,
            Kind::Interrupted => Self::Interrupted,
            _ => Self::Io,
        }
    }
}

/// An error that knows its kind, and may know what to do next.
///
/// The record's message is the chain of sources, joined by `: `.
pub trait Fail: std::error::Error {
    /// Returns the kind, and with it the exit status.
    fn kind(&self) -> ErrorKind;

    /// Returns what the person should do next, if that is known.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// The `error` of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// Why it failed.
    pub kind: ErrorKind,
    /// What failed, on which object, and the cause.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The exit status of the process.
    pub exit: u8,
    /// The steps that were finished before the failure, in order.
    pub done: Vec<String>,
}

impl Failure {
    /// Makes a failure of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let exit = kind.exit().code();
        Self {
            kind,
            message: message.into(),
            hint: None,
            exit,
            done: Vec::new(),
        }
    }

    /// Describes `error` with the whole chain of its sources.
    pub fn of(error: &dyn Fail) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        let kind = error.kind();
        Self {
            hint: error.hint().or_else(|| kind.hint()),
            ..Self::new(kind, message)
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
