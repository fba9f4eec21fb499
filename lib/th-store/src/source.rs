//! What a set is a backup of.

use crate::SetRef;
use crate::brief::Brief;

/// What a set is a backup of. Only sets of one source can stand in for each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The environment.
    pub environment: Option<String>,
    /// The database's name.
    pub database: Option<String>,
    /// Whether the set has files.
    pub has_files: bool,
}

impl SetRef {
    /// Returns what the set is a backup of.
    pub fn source(&self) -> Source {
        Source {
            environment: self.environment.clone(),
            database: self.database.clone(),
            has_files: self.files.is_some(),
        }
    }
}

impl Brief {
    /// Returns what [`SetRef::source`] does.
    pub(crate) fn source(&self) -> Source {
        Source {
            environment: self.environment.clone(),
            database: self.database.as_ref().map(|it| it.name.clone()),
            has_files: self.files.is_some(),
        }
    }
}
