//! The swap that is going on: on disk before each phase begins.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use th_cli::Run;
use th_record::Id;
use th_record::kind::{PendingSwap, Slot};
use th_state::State;

use crate::Error;

const FILE: &str = "swap.json";

/// A phase of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The slot is started and probed; no traffic is moved.
    Starting,
    /// The lanes are led to it. Until the receipt is good, they may lead anywhere.
    Switching,
    /// A canary that could not tell waits for a person. Some lanes lead to the slot.
    Paused,
    /// All traffic is moved, and proven to be. The old slot's connections end.
    Draining,
    /// The old slot is warm, and a process watches.
    Holding,
    /// The old slot is stopped.
    Retiring,
    /// The lanes are led back.
    Reverting,
    /// All traffic is back. The slot that was to get it is stopped.
    Reverted,
}

impl Phase {
    /// Returns its name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Switching => "switching",
            Self::Paused => "paused",
            Self::Draining => "draining",
            Self::Holding => "holding",
            Self::Retiring => "retiring",
            Self::Reverting => "reverting",
            Self::Reverted => "reverted",
        }
    }
}

/// A swap that is going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The run that began it.
    pub(crate) run: String,
    pub(crate) tag: String,
    pub(crate) slot: Slot,
    pub(crate) previous_tag: Option<String>,
    pub(crate) previous_slot: Option<Slot>,
    pub(crate) phase: Phase,
    /// Whether it goes back to a release that there was before.
    pub(crate) rollback: bool,
    /// The services that must not run in both slots.
    pub(crate) exclusive: Vec<String>,
    /// How long the old slot's connections may take to end.
    pub(crate) drain_seconds: u64,
    /// How long the old slot is kept warm.
    pub(crate) hold_seconds: u64,
    /// When that ends, once it has begun.
    pub(crate) hold_until_at: Option<DateTime<Utc>>,
    /// The run that led the lanes back, if it was another one.
    pub(crate) reverted_by: Option<String>,
    /// The database's migration head when it began.
    pub(crate) head: Option<String>,
    /// The backup made right before it.
    pub(crate) pre_release_set: Option<Id>,
}

impl Pending {
    /// Reads the swap that is going on, or that died.
    pub(crate) fn read(state: &State) -> Result<Option<Self>, Error> {
        Ok(state.read(FILE)?)
    }

    /// Notes that `phase` begins now.
    pub(crate) fn enter(&mut self, state: &State, phase: Phase) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.phase, phase);
        self.write(state).inspect_err(|_| self.phase = before)
    }

    /// As [`Pending::enter`], on the way back: on a full disk the traffic goes back all the same.
    pub(crate) fn try_enter(&mut self, state: &State, run: &mut Run, phase: Phase) {
        if let Err(error) = self.enter(state, phase) {
            run.warn(format!("the way back is not journalled: {error}"));
        }
    }

    /// Writes it, durably.
    pub(crate) fn write(&self, state: &State) -> Result<(), Error> {
        Ok(state.write(FILE, self)?)
    }

    /// Notes that nothing is going on any more.
    pub(crate) fn clear(state: &State) -> Result<(), Error> {
        Ok(state.remove(FILE)?)
    }

    /// Tells whether `other` is this swap, and not a later one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (&self.run, &self.tag, self.slot) == (&other.run, &other.tag, other.slot)
    }

    /// Describes it for a record.
    pub(crate) fn shown(&self, alive: bool) -> PendingSwap {
        PendingSwap {
            run: self.run.clone(),
            tag: self.tag.clone(),
            slot: self.slot,
            phase: self.phase.name().to_owned(),
            hold_until_at: self.hold_until_at,
            alive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pending;

    #[test]
    fn what_an_earlier_version_wrote_is_read() {
        let text = concat!(
            r#"{"run":"20261123T020000Z-7f3a","tag":"v2","slot":"green","previous_tag":"v1","#,
            r#""previous_slot":"blue","phase":"paused","rollback":false,"exclusive":[],"#,
            r#""drain_seconds":10,"hold_seconds":0,"hold_until_at":null,"switched_at":null,"#,
            r#""reverted_by":null}"#,
        );
        let pending: Pending = serde_json::from_str(text).unwrap();
        assert_eq!((pending.head, pending.pre_release_set), (None, None));
    }
}
