//! The state of a restore, on disk before each phase begins.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use th_cli::Run;
use th_postgres::{Admin, Server};
use th_record::Id;
use th_state::State;

use crate::Error;
use crate::moves::{Aside, Way};

/// The restore that undo takes back.
const LAST: &str = "restore.json";
/// The restore or undo that is going on.
const PENDING: &str = "restore.pending.json";

/// A restore that is live, or on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Restore {
    /// Its own id: a set can be restored more than once.
    pub(crate) id: Id,
    /// The set.
    pub(crate) set: Id,
    /// The databases.
    pub(crate) database: Option<Swap>,
    /// The directories whose files are moved.
    pub(crate) roots: Vec<PathBuf>,
}

/// The databases of a restore.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Swap {
    /// The live one.
    pub(crate) live: String,
    /// What becomes live.
    pub(crate) next: String,
    /// What the live one is renamed to; `None` when there is none.
    pub(crate) kept: Option<String>,
}

/// How far a restore, or its undoing, is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) restore: Restore,
    pub(crate) phase: Phase,
    /// Whether this takes the restore back.
    pub(crate) undo: bool,
}

/// A phase of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Nothing live is touched: dropping everything takes it back.
    Staging,
    /// The databases are renamed, then the files moved.
    Switching,
}

impl Restore {
    pub(crate) fn asides(&self) -> impl Iterator<Item = Aside> {
        self.roots.iter().map(|root| Aside::new(root, &self.id))
    }
}

impl Swap {
    /// Renames the databases; returns how many sessions were closed.
    ///
    /// # Errors
    /// [`Error::HalfWay`] when it is not known whether they were renamed: the next run asks the
    /// server again, then goes on or drops it all. With any other nothing was renamed.
    pub(crate) fn go(&self, admin: &mut Admin) -> Result<u64, Error> {
        let mut renames = Vec::new();
        if let Some(kept) = &self.kept {
            renames.push((self.live.as_str(), kept.as_str()));
        }
        renames.push((self.next.as_str(), self.live.as_str()));
        admin.rename(&renames).map_err(|error| match error {
            th_postgres::Error::InDoubt(_) => Error::HalfWay(Box::new(error.into())),
            error => error.into(),
        })
    }

    /// Returns the swap that takes this one back; what was live is then kept as `name`.
    pub(crate) fn back(&self, name: String) -> Option<Self> {
        let next = self.kept.clone()?;
        Some(Self {
            live: self.live.clone(),
            next,
            kept: Some(name),
        })
    }

    /// Tells whether the renames are done: they are all or none.
    pub(crate) fn is_done(&self, admin: &mut Admin) -> Result<bool, Error> {
        Ok(!admin.has(&self.next)?)
    }
}

/// Notes how far a restore is.
pub(crate) fn note(
    state: &State,
    restore: &Restore,
    phase: Phase,
    undo: bool,
) -> Result<(), Error> {
    Ok(state.write(
        PENDING,
        &Pending {
            restore: restore.clone(),
            phase,
            undo,
        },
    )?)
}

/// Notes that a restore is done, or taken back.
pub(crate) fn finish(state: &State, restore: &Restore, undo: bool) -> Result<(), Error> {
    if undo {
        state.remove(LAST)?;
    } else {
        state.write(LAST, restore)?;
    }
    Ok(state.remove(PENDING)?)
}

/// Forgets a restore or an undo of which nothing is left.
pub(crate) fn abandon(state: &State) -> Result<(), Error> {
    Ok(state.remove(PENDING)?)
}

/// Returns the restore that undo would take back.
pub(crate) fn last(state: &State) -> Result<Option<Restore>, Error> {
    Ok(state.read(LAST)?)
}

/// Drops what a restore has made, none of which is live.
pub(crate) fn discard(
    state: &State,
    restore: &Restore,
    server: Option<&Server>,
) -> Result<(), Error> {
    if let (Some(swap), Some(server)) = (&restore.database, server) {
        server.admin()?.drop(&swap.next)?;
    }
    for aside in restore.asides() {
        aside.discard()?;
    }
    abandon(state)
}

/// Finishes or drops what a run that died left behind. Once its databases are renamed, a restore
/// is finished; before that, nothing of it is live and it is dropped.
pub(crate) fn recover(run: &mut Run, state: &State, server: Option<&Server>) -> Result<(), Error> {
    let Some(Pending {
        restore,
        phase,
        undo,
    }) = state.read(PENDING)?
    else {
        return Ok(());
    };
    let set = &restore.set;
    let renamed = match (&restore.database, server) {
        (Some(swap), Some(server)) => swap.is_done(&mut server.admin()?)?,
        (Some(_), None) => {
            return Err(Error::Usage(
                "a restore that died has to be finished first, which needs its database server",
            ));
        }
        (None, _) => true,
    };
    if phase == Phase::Switching && renamed {
        let way = if undo { Way::Back } else { Way::Forth };
        for aside in restore.asides() {
            aside.go(way)?;
        }
        finish(state, &restore, undo)?;
        run.warn(format!("finished what a dead run had begun with set {set}"));
    } else if undo {
        // The databases were not renamed yet, and nothing was made for an undo.
        abandon(state)?;
        run.warn(format!(
            "an undo of set {set} had died before it began; run it again"
        ));
    } else {
        discard(state, &restore, server)?;
        run.warn(format!("dropped what a dead run had made of set {set}"));
    }
    Ok(())
}
