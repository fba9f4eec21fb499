//! What can be wrong with a configuration.

use std::io;
use std::path::PathBuf;

use th_record::{ErrorKind, Fail};

/// An error of this crate. All but [`Error::NoEnvironment`] and I/O are the user's to mend in
/// th.toml or on the command line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// th.toml is not valid.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong there.
        message: String,
        /// The key that was meant, perhaps.
        hint: Option<String>,
    },
    /// No `-e`, and th.toml does not have exactly one environment.
    #[error("no environment is named and '{}' has {}", path.display(), names.join(", "))]
    Unnamed {
        /// The file.
        path: PathBuf,
        /// The environments it has.
        names: Vec<String>,
    },
    /// `-e` names an environment that is not there.
    #[error("'{}' has no environment '{name}'", path.display())]
    NoEnvironment {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// The environments it has.
        names: Vec<String>,
    },
    /// `-e` without any th.toml.
    #[error("environment '{0}' is asked for, but there is no th.toml")]
    NoFile(String),
    /// A setting that is needed is neither in th.toml nor on the command line.
    #[error("no {what} is given")]
    Missing {
        /// The setting.
        what: &'static str,
        /// Where to give it.
        hint: &'static str,
    },
    /// A setting's value makes no sense.
    #[error("{setting}: {message}")]
    Value {
        /// The setting, as in th.toml.
        setting: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A setting of a later version.
    #[error("{setting} is not supported by this version")]
    Later {
        /// The setting, as in th.toml.
        setting: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoEnvironment { .. } => ErrorKind::NotFound,
            Self::Read { .. }
            | Self::Invalid { .. }
            | Self::Unnamed { .. }
            | Self::NoFile(_)
            | Self::Missing { .. }
            | Self::Value { .. }
            | Self::Later { .. } => ErrorKind::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { hint, .. } => hint.clone(),
            Self::Unnamed { .. } => Some("name one with -e".into()),
            Self::NoEnvironment { names, .. } => Some(format!("it has: {}", names.join(", "))),
            Self::NoFile(_) => Some(
                "th.toml is looked for in --config, $TH_CONFIG, ./th.toml and /etc/th/th.toml"
                    .into(),
            ),
            Self::Missing { hint, .. } | Self::Later { hint, .. } => Some((*hint).to_owned()),
            Self::Read { .. } | Self::Value { .. } => None,
        }
    }
}
