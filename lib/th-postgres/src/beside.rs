//! Databases beside the live one, `<live>_<role>_<id>`: what restores and proofs make and keep.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use th_record::Id;

use crate::quote::literal;
use crate::{Admin, Error};

/// The longest name that PostgreSQL keeps whole.
pub const LONGEST_NAME: usize = 63;
/// What leaves room for `_verify_` and an id.
const LONGEST_STEM: usize = 34;
/// How much of a longer name stays: beside it stand an underscore and eight digits of its hash.
const STEM: usize = 25;

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
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What the name tells.
    pub beside: Beside,
    /// Its size on disk; 0 when the role may not know.
    pub size_bytes: u64,
}

/// What the name of a database beside the live one tells.
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

    /// Returns what the names of the databases beside `live` begin with. A proof is not refused for
    /// a long name, as a restore is: nobody has to recognise the name of its scratch.
    fn stem(self, live: &str) -> Cow<'_, str> {
        if self != Self::Verify || live.len() <= LONGEST_STEM {
            return live.into();
        }
        let end = (0..=STEM).rfind(|end| live.is_char_boundary(*end));
        let mut stem = live[..end.unwrap_or_default()].to_owned() + "_";
        for byte in &Sha256::digest(live)[..4] {
            // Writing to a string cannot fail.
            let _ = write!(stem, "{byte:02x}");
        }
        stem.into()
    }

    /// Returns the name of the database that is made beside `live` for this, of `id`.
    pub fn name(self, live: &str, id: &Id) -> String {
        format!("{}{id}", self.prefix(live))
    }

    /// Returns what comes before the id in [`Role::name`].
    pub(crate) fn prefix(self, live: &str) -> String {
        format!("{}_{}_", self.stem(live), self.word())
    }
}

impl Beside {
    /// Recognises the database `name` as one beside `live`.
    pub fn of(name: &str, live: &str) -> Option<Self> {
        Role::ALL.into_iter().find_map(|role| {
            let id = name.strip_prefix(&role.prefix(live))?;
            Some(Self {
                role,
                id: id.parse().ok()?,
            })
        })
    }
}

impl Admin {
    /// Returns the databases beside `live`, by name. No others are sized: the role may have no right
    /// to know of those.
    ///
    /// # Errors
    /// Those of the session.
    pub fn beside(&mut self, live: &str) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        for (name, beside) in self.names_beside(live)? {
            if let Some(size_bytes) = self.size_if_there(&name)? {
                found.push(Listed {
                    name,
                    beside,
                    size_bytes,
                });
            }
        }
        Ok(found)
    }

    /// Returns the names of the databases beside `live`, and what they tell.
    fn names_beside(&mut self, live: &str) -> Result<Vec<(String, Beside)>, Error> {
        #[derive(Deserialize)]
        struct Name {
            name: String,
        }
        let names: Vec<Name> = self.session.all(
            "SELECT datname AS name FROM pg_database WHERE NOT datistemplate \
             ORDER BY datname COLLATE \"C\"",
        )?;
        let names = names.into_iter();
        Ok(names
            .filter_map(|Name { name }| Beside::of(&name, live).map(|beside| (name, beside)))
            .collect())
    }

    /// Returns the size of a database, 0 when the role may not know; `None` when it was dropped.
    fn size_if_there(&mut self, name: &str) -> Result<Option<u64>, Error> {
        #[derive(Deserialize)]
        struct Size {
            bytes: Option<u64>,
        }
        let sized: Result<Vec<Size>, Error> = self.session.all(&format!(
            "SELECT CASE WHEN has_database_privilege(oid, 'CONNECT') \
                           OR pg_has_role('pg_read_all_stats', 'USAGE') \
                    THEN pg_database_size(oid) END AS bytes \
             FROM pg_database WHERE datname = {}",
            literal(name)
        ));
        match sized {
            Ok(sizes) => Ok(sizes.first().map(|size| size.bytes.unwrap_or_default())),
            // While its size was taken: undefined_database, undefined_file
            Err(Error::Sql { sqlstate, .. }) if ["3D000", "58P01"].contains(&&*sqlstate) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Drops the databases beside `live` of one role, those that a run which died is still making
    /// included. Returns their names.
    ///
    /// # Errors
    /// Those of [`Admin::drop`].
    pub fn drop_beside(&mut self, live: &str, role: Role) -> Result<Vec<String>, Error> {
        self.end_makers_beside(live, role)?;
        let names = self.names_beside(live)?.into_iter();
        let dropped: Vec<String> = names
            .filter(|(_, beside)| beside.role == role)
            .map(|(name, _)| name)
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

    #[test]
    fn the_scratch_of_a_long_name_is_shorter_and_recognised() {
        let id: Id = "20261123T020000Z-7f3a".parse().unwrap();
        let name = |live: &str| Role::Verify.name(live, &id);
        assert_eq!(name("app"), "app_verify_20261123T020000Z-7f3a");
        for length in 30..=LONGEST_NAME {
            let (live, other) = ("x".repeat(length), "x".repeat(length - 1) + "y");
            assert!(name(&live).len() <= LONGEST_NAME, "{}", name(&live));
            let beside = Beside::of(&name(&live), &live);
            assert_eq!(beside.map(|beside| beside.role), Some(Role::Verify));
            assert_eq!(Beside::of(&name(&live), &other), None);
        }
        assert!(name(&"ä".repeat(30)).starts_with(&("ä".repeat(12) + "_")));
        let cut = name(&"x".repeat(60));
        assert_eq!(
            Beside::of(&cut.replace("verify", "before"), &"x".repeat(60)),
            None
        );
    }
}
