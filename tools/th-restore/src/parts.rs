//! Which parts of a set a restore takes.

use std::path::{Path, PathBuf};

use th_record::Manifest;

use crate::Error;
use crate::args::Part;
use crate::context::Context;

pub(crate) const NO_DATABASE: &str = "no database is given to restore into";

/// What of a set is to be restored, and where to.
pub(crate) struct Parts {
    pub(crate) database: bool,
    pub(crate) files: Option<PathBuf>,
    pub(crate) config: Option<PathBuf>,
}

impl Parts {
    /// Without `--only`, the database and the files that both the set and the environment have.
    /// The configuration is restored only when asked for: it may hold newer secrets.
    pub(crate) fn of(
        context: &Context,
        manifest: &Manifest,
        only: Option<Part>,
    ) -> Result<Self, Error> {
        let env = &context.env;
        let wants = |part| only == Some(part);
        let uploads = env.files.uploads.as_deref();
        if wants(Part::Db) && manifest.database.is_none() {
            return Err(Error::Nothing("the set holds no database"));
        }
        if wants(Part::Db) && env.database.is_none() {
            return Err(Error::NoServer(NO_DATABASE));
        }
        if wants(Part::Files) && manifest.files.is_none() {
            return Err(Error::Nothing("the set holds no files"));
        }
        if wants(Part::Files) && uploads.is_none() {
            return Err(Error::Usage(
                "no directory of files is given to restore into",
            ));
        }
        if wants(Part::Config) && manifest.config.is_none() {
            return Err(Error::Nothing("the set holds no configuration files"));
        }
        let parts = Self {
            database: (only.is_none() || wants(Part::Db))
                && manifest.database.is_some()
                && env.database.is_some(),
            files: uploads
                .filter(|_| (only.is_none() || wants(Part::Files)) && manifest.files.is_some())
                .map(absolute)
                .transpose()?,
            config: wants(Part::Config)
                .then(|| absolute(&env.files.root))
                .transpose()?,
        };
        if !parts.database && parts.files.is_none() && parts.config.is_none() {
            return Err(Error::Nothing(
                "the set holds nothing that this environment has",
            ));
        }
        Ok(parts)
    }
}

/// What is noted of a restore holds in whatever directory the next run is.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::io(path))
}
