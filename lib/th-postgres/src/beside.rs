//! Databases beside the live one, `<live>_<role>_<id>`: what restores and proofs make and keep.

use serde::Deserialize;
use th_record::Id;

use crate::{Admin, Error};

/// What a database beside the live one is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What was live before a restore: undo needs it.
    Before,
    /// What a restore writes, until it goes live.
    Restore,
    /// What was live before an undo.
    Undone,
    /// What a proof restores into. Its id is the set's.
    Verify,
}

/// A database beside the live one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// What it is for.
    pub role: Role,
    /// What it was made by, or, for a proof, of.
    pub id: Id,
}

impl Role {
    const ALL: [Self; 4] = [Self::Before, Self::Restore, Self::Undone, Self::Verify];

    /// Returns the word in the name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Restore => "restore",
            Self::Undone => "undone",
            Self::Verify => "verify",
        }
    }
}

impl Beside {
    /// Recognises the database `name` as one beside `live`.
    pub fn of(name: &str, live: &str) -> Option<Self> {
        let rest = name.strip_prefix(live)?.strip_prefix('_')?;
        Role::ALL.into_iter().find_map(|role| {
            let id = rest.strip_prefix(role.word())?.strip_prefix('_')?;
            Some(Self {
                role,
                id: id.parse().ok()?,
            })
        })
    }
}

impl Admin {
    /// Drops the databases beside `live` of one role, those that a run which died is still making
    /// included. Returns their names.
    ///
    /// # Errors
    /// Those of [`Admin::drop`].
    pub fn drop_beside(&mut self, live: &str, role: Role) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Name {
            name: String,
        }
        self.end_makers_beside(live, role)?;
        // Without their sizes, which not every role that may back up can take.
        let names: Vec<Name> = self
            .session
            .all("SELECT datname AS name FROM pg_database")?;
        let names = names.into_iter().map(|Name { name }| name);
        let dropped: Vec<String> = names
            .filter(|name| Beside::of(name, live).is_some_and(|beside| beside.role == role))
            .collect();
        dropped.iter().try_for_each(|name| self.drop(name))?;
        Ok(dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_of_this_database_is_recognised() {
        let role = |name: &str| Beside::of(name, "app").map(|beside| beside.role);
        assert_eq!(role("app_before_20261123T020000Z-7f3a"), Some(Role::Before));
        assert_eq!(
            role("app_restore_20261123T020000Z-7f3a"),
            Some(Role::Restore)
        );
        assert_eq!(role("app_undone_20261123T020000Z-7f3a"), Some(Role::Undone));
        assert_eq!(role("app_verify_20261123T020000Z-7f3a"), Some(Role::Verify));
        for other in [
            "app",
            "app_before_",
            "app_before_the_move",
            "app_before_20261123T020000Z-7f3a_2",
            "app2_before_20261123T020000Z-7f3a",
            "app_staging_before_20261123T020000Z-7f3a",
            "before_20261123T020000Z-7f3a",
        ] {
            assert_eq!(role(other), None, "{other}");
        }
    }
}
