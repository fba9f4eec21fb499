//! One environment, resolved.

use std::path::PathBuf;

use crate::origin::Origin;
use crate::{Error, Retention, Secret, Slots};

/// All that a tool may know of the deployment it acts on.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The application's name; `None` with flags alone.
    pub app: Option<String>,
    /// The environment's name; `None` with flags alone.
    pub name: Option<String>,
    /// Where the lock, the journal and the small state files are.
    pub state: PathBuf,
    /// The other environments of the app in th.toml: the name, and where its state is. They share
    /// the app's images with this one.
    pub neighbours: Vec<(String, PathBuf)>,
    /// The database, if one is given.
    pub database: Option<Database>,
    /// The files.
    pub files: Files,
    /// How and where to back up.
    pub backup: Backup,
    /// What is to be kept.
    pub retention: Retention,
    /// The file with the app's secrets.
    pub env_file: Option<PathBuf>,
    /// How releases are switched, if they are.
    pub slots: Option<Slots>,
    pub(crate) origin: Option<Origin>,
}

impl Environment {
    /// Points an error about a value of th.toml at its line. Tools check some values themselves.
    pub fn locate(&self, error: Error) -> Error {
        match &self.origin {
            Some(origin) => origin.locate(error),
            None => error,
        }
    }
}

/// The database of an environment.
#[derive(Debug, Clone)]
pub struct Database {
    /// Where its server is.
    pub server: Server,
    /// Its name; else the URL's, else the user's name, as for `psql`.
    pub name: Option<String>,
    /// The role to work as.
    pub user: Option<String>,
}

/// Where a PostgreSQL server is.
#[derive(Debug, Clone)]
pub enum Server {
    /// Reached by the host's own client programs.
    Url(Secret),
    /// In the container of this name.
    Container(String),
    /// In the container of a compose project's service.
    Compose {
        /// The project.
        project: String,
        /// The service.
        service: String,
    },
}

/// The files of an environment.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The directory to back up.
    pub uploads: Option<PathBuf>,
    /// What [`Files::config`] is relative to.
    pub root: PathBuf,
    /// Configuration files, relative to [`Files::root`].
    pub config: Vec<PathBuf>,
    /// A query whose every path must be among the files.
    pub references: Option<String>,
    /// Globs of paths to leave out.
    pub exclude: Vec<String>,
}

/// How and where to back up.
#[derive(Debug, Clone)]
pub struct Backup {
    /// The store's directory.
    pub store: PathBuf,
    /// The compression, `zstd:3`.
    pub compression: Option<String>,
    /// A query that must answer true on a restored copy, for the proof level `app`.
    pub app_query: Option<String>,
}
