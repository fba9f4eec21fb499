//! The restore that is live or on its way: th-restore writes it, and th-prune keeps its databases.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use th_record::Id;

use crate::{Error, State};

/// The restore that undo takes back.
const LAST: &str = "restore.json";
/// The restore or undo that is going on.
const PENDING: &str = "restore.pending.json";

/// A restore that is live, or on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Its own id: a set can be restored more than once.
    pub id: Id,
    /// The set.
    pub set: Id,
    /// The databases.
    pub database: Option<Swap>,
    /// The directories whose files are moved.
    pub roots: Vec<PathBuf>,
}

/// The databases of a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// The live one.
    pub live: String,
    /// What becomes live.
    pub next: String,
    /// What the live one is renamed to; `None` when there is none.
    pub kept: Option<String>,
}

/// How far a restore, or its undoing, is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The restore.
    pub restore: Restore,
    /// What is being done.
    pub phase: Phase,
    /// Whether this takes the restore back.
    pub undo: bool,
    /// The undo's own id, by which what it takes out of the live is kept; `None` of a restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_id: Option<Id>,
}

/// A phase of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing live is touched: dropping everything takes it back.
    Staging,
    /// The databases are renamed, then the files moved.
    Switching,
}

impl Restore {
    /// Returns the restore that undo would take back; `None` when there is none.
    ///
    /// # Errors
    /// Those of [`State::read`].
    pub fn last(state: &State) -> Result<Option<Self>, Error> {
        state.read(LAST)
    }

    /// Notes, durably, that `phase` of it begins, or of the undo that takes it back.
    ///
    /// # Errors
    /// Those of [`State::write`].
    pub fn enter(&self, state: &State, phase: Phase, undo: Option<&Id>) -> Result<(), Error> {
        let pending = Pending {
            restore: self.clone(),
            phase,
            undo: undo.is_some(),
            undo_id: undo.cloned(),
        };
        state.write(PENDING, &pending)
    }

    /// Notes that it is done, or with `undo` that it is taken back.
    ///
    /// # Errors
    /// Those of [`State::write`] and [`State::remove`].
    pub fn finish(&self, state: &State, undo: bool) -> Result<(), Error> {
        if undo {
            state.remove(LAST)?;
        } else {
            state.write(LAST, self)?;
        }
        Pending::clear(state)
    }

    /// Forgets the last restore, some of which is kept no longer: nothing can take it back.
    ///
    /// # Errors
    /// Those of [`State::remove`].
    pub fn forget(state: &State) -> Result<(), Error> {
        state.remove(LAST)
    }
}

impl Swap {
    /// Returns the swap that takes this one back, for which what is live is kept as `name`; `None`
    /// when there is nothing to go back to.
    pub fn back(&self, name: String) -> Option<Self> {
        let next = self.kept.clone()?;
        Some(Self {
            live: self.live.clone(),
            next,
            kept: Some(name),
        })
    }
}

impl Pending {
    /// Returns the restore or undo that is going on, or that died; `None` when there is none.
    ///
    /// # Errors
    /// Those of [`State::read`].
    pub fn read(state: &State) -> Result<Option<Self>, Error> {
        state.read(PENDING)
    }

    /// Forgets a restore or an undo that is over, or of which nothing is left.
    ///
    /// # Errors
    /// Those of [`State::remove`].
    pub fn clear(state: &State) -> Result<(), Error> {
        state.remove(PENDING)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const RESTORE: &str = concat!(
        r#"{"id":"20261123T020000Z-7f3a","set":"20261122T020000Z-0001","#,
        r#""database":{"live":"app","next":"app_restore_20261123T020000Z-7f3a","#,
        r#""kept":"app_before_20261123T020000Z-7f3a"},"roots":["/srv/app/uploads"]}"#,
    );

    #[test]
    fn the_files_are_what_they_always_were() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::at(dir.path());
        let read = |name| fs::read_to_string(state.path(name)).unwrap();
        let restore: Restore = serde_json::from_str(RESTORE).unwrap();
        restore.enter(&state, Phase::Staging, None).unwrap();
        let pending = format!(r#"{{"restore":{RESTORE},"phase":"staging","undo":false}}"#);
        assert_eq!(read(PENDING), pending);
        assert_eq!(Pending::read(&state).unwrap().unwrap().restore, restore);

        restore.finish(&state, false).unwrap();
        assert_eq!(read(LAST), RESTORE);
        assert_eq!(Restore::last(&state).unwrap(), Some(restore.clone()));
        assert_eq!(Pending::read(&state).unwrap(), None);

        let undo = "20261130T020000Z-0002".parse().unwrap();
        restore
            .enter(&state, Phase::Switching, Some(&undo))
            .unwrap();
        let by_an_older = format!(r#"{{"restore":{RESTORE},"phase":"switching","undo":true"#);
        let pending = format!(r#"{by_an_older},"undo_id":"{undo}"}}"#);
        assert_eq!(read(PENDING), pending);
        fs::write(state.path(PENDING), by_an_older + "}").unwrap();
        assert!(Pending::read(&state).unwrap().unwrap().undo);
        restore.finish(&state, true).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::at(dir.path());
        for bad in ["", "{}", "[]", r#"{"database":null}"#] {
            fs::write(state.path(LAST), bad).unwrap();
            fs::write(state.path(PENDING), bad).unwrap();
            let (last, pending) = (Restore::last(&state), Pending::read(&state));
            assert!(matches!(last, Err(Error::Format { .. })), "{bad}");
            assert!(matches!(pending, Err(Error::Format { .. })), "{bad}");
        }
    }
}
