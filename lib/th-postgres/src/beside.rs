//! Databases beside the live one, `<live>_<role>_<id>`: what restores and proofs make and keep.

use th_record::Id;

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
