//! What can be wrong with a configuration.

use std::io;
use std::path::{Path, PathBuf};

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
    /// What backups write is among the files that they read.
    #[error(
        "the files in '{}' are to be backed up, and so would be what backups write among them: {}",
        files.display(),
        names(found)
    )]
    Nested {
        /// The files.
        files: PathBuf,
        /// The store, the state directory, or both, relative to them.
        found: Vec<PathBuf>,
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

impl Error {
    /// Says that `message` is wrong at the byte `start` of `text`, which `path` holds.
    pub(crate) fn invalid(
        path: &Path,
        text: &str,
        start: usize,
        message: String,
        hint: Option<String>,
    ) -> Self {
        let before = &text[..start];
        Self::Invalid {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            message,
            hint,
        }
    }

    /// Says what `error` says, of the byte `start` of `text`.
    pub(crate) fn at(path: &Path, text: &str, start: usize, error: &Self) -> Self {
        Self::invalid(path, text, start, error.to_string(), error.hint())
    }
}

fn names(paths: &[PathBuf]) -> String {
    let names = paths.iter().map(|path| match path.to_str() {
        Some("") => "'.'".to_owned(),
        _ => format!("'{}'", path.display()),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Says what to do about a value that makes no sense.
fn mend(setting: &str) -> String {
    match setting {
        "database" => "keep one of them, and remove the others".to_owned(),
        "database.url" => "put the variable into the env_file, or export it".to_owned(),
        "slots.services" | "slots.probe" => {
            "each service of a slot has its name in slots.services, and a path in slots.probe"
                .to_owned()
        }
        setting if setting.starts_with('-') => "--help says what it may be".to_owned(),
        _ => "correct it, or remove it: then it has its default".to_owned(),
    }
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
            | Self::Nested { .. }
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
            Self::Nested { .. } => Some(
                "move it out of there, or name it in files.exclude or th-backup's --exclude".into(),
            ),
            Self::Read { .. } => Some(
                "is it there, and may you read it? Paths in th.toml start at the environment's root"
                    .into(),
            ),
            Self::Value { setting, .. } => Some(mend(setting)),
        }
    }
}
