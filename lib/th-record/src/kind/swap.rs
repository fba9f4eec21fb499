//! What th-swap says.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CanaryStep, Phase};
use crate::record::{millis, seconds};
use crate::{Id, Image};

/// One of the two copies of an app's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The first.
    Blue,
    /// The second.
    Green,
}

impl Slot {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// Returns its name: `blue`, `green`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// Returns the one that is called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.name() == name)
    }

    /// Returns the other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Kind `swapped`: the traffic was moved, by a release, a canary or a rollback, or it was not and
/// the error says why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Swapped {
    /// The release that the traffic was to go to.
    pub tag: String,
    /// Its slot.
    pub slot: Slot,
    /// The release that had the traffic before; `null` when that is not known.
    pub previous_tag: Option<String>,
    /// Its slot; `null` when there was none.
    pub previous_slot: Option<Slot>,
    /// The slot that has the traffic now; `null` when none or both have it.
    pub live: Option<Slot>,
    /// The images of the release, one for each service.
    pub images: Vec<Image>,
    /// The database's migration head at the switch, of several all with a space between; `null` when it
    /// has none or is not known.
    pub head: Option<String>,
    /// The backup made right before the release, from the upstream record.
    pub pre_release_set: Option<Id>,
    /// Whether the slot had to be started.
    pub booted: bool,
    /// The steps of a canary; empty for all others.
    pub steps: Vec<CanaryStep>,
    /// What was counted during the switch; `null` when it did not come to that.
    pub receipt: Option<Receipt>,
    /// What was seen while the old slot was kept warm; `null` when it did not come to that.
    pub watch: Option<Watch>,
    /// Whether the slot that is out of traffic was stopped.
    pub stopped: bool,
    /// How long each phase took.
    pub phases: Vec<Phase>,
}

/// What the tool's own requests through the web server met while the traffic was moved.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Receipt {
    /// Requests sent, GET and POST, over kept-alive and fresh connections.
    pub requests: u64,
    /// How many of them were not answered with 2xx.
    pub failed: u64,
    /// What the first few of those met.
    pub failures: Vec<String>,
    /// The longest time between two good answers to one client, less what it paused for while the
    /// old slot drained.
    pub max_gap_ms: u64,
    /// From the start of the switch to the first answer of the new slot; `null` when answers do not
    /// tell their slot.
    pub first_new_ms: Option<u64>,
    /// From the start of the drain until no connection was left on the old slot's sockets; `null`
    /// when some were left at the limit, nobody could tell, or there was no old slot.
    #[serde(serialize_with = "optional_millis")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>"))]
    pub drain_seconds: Option<f64>,
    /// Connections that were left when the slot without traffic was stopped; `null` when nobody could
    /// tell, or this run stopped none.
    pub cut: Option<u64>,
}

/// What was seen while the old slot was kept warm.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Watch {
    /// How long was watched.
    #[serde(serialize_with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub duration_seconds: f64,
    /// The tool's own requests.
    pub requests: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Users' requests to the new slot, from the access log; `null` without one.
    pub served: Option<u64>,
    /// How many of them were answered with 5xx.
    pub errors: Option<u64>,
    /// Why the watch ended before its time; `null` when it did not.
    pub ended_by: Option<String>,
}

/// Kind `swap_plan`: what a release or a rollback would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwapPlan {
    /// The release.
    pub tag: String,
    /// The slot it would run in.
    pub slot: Slot,
    /// The release that has the traffic; `null` when that is not known.
    pub previous_tag: Option<String>,
    /// Its slot; `null` when there is none.
    pub previous_slot: Option<Slot>,
    /// What must hold, and whether it does.
    pub gates: Vec<GateResult>,
    /// What would be done, in order.
    pub steps: Vec<SwapStep>,
}

/// A condition and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GateResult {
    /// `image`, `memory`, `connections`, `disk`, `schema`, …
    pub name: String,
    /// Whether it holds; `null` when that cannot be told.
    pub ok: Option<bool>,
    /// What was found.
    pub found: String,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwapStep {
    /// What would be done: `start`, `probe`, `repoint`, `drain`, `hold`, `stop`, …
    pub action: String,
    /// To what.
    pub object: String,
}

/// Kind `swap_status`: what is on disk, what runs, what is served, and whether they agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwapStatus {
    /// The release that has the traffic, from what was remembered; `null` before the first.
    pub tag: Option<String>,
    /// The slot that all lanes lead to; `null` when they do not lead to one.
    pub slot: Option<Slot>,
    /// Each slot.
    pub slots: Vec<SlotStatus>,
    /// The slots that answered through the web server; `null` when no front is given.
    pub served: Option<Vec<Slot>>,
    /// The swap that is going on, or that died; `null` when there is none.
    pub pending: Option<PendingSwap>,
    /// Whether the maintenance page is on.
    pub maintenance: bool,
    /// Whether disk, containers and web server agree; not so when some of that is not known.
    pub agree: bool,
    /// Where they do not.
    pub problems: Vec<String>,
}

/// One slot, in a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SlotStatus {
    /// The slot.
    pub name: Slot,
    /// How many lanes lead to it.
    pub lanes: u64,
    /// The tag of its containers; `null` when it has none, or when the engine does not answer.
    pub tag: Option<String>,
    /// Whether all its services run; `null` when the engine does not answer.
    pub running: Option<bool>,
    /// Whether all its services answer their probes.
    pub healthy: bool,
    /// Connections on its sockets; `null` when that cannot be told.
    pub connections: Option<u64>,
}

/// A swap that is going on, or that died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PendingSwap {
    /// The run that began it.
    pub run: String,
    /// The release it moves the traffic to.
    pub tag: String,
    /// The slot it moves the traffic to.
    pub slot: Slot,
    /// `starting`, `switching`, `paused`, `draining`, `holding`, `retiring`, `reverting` or `reverted`.
    pub phase: String,
    /// When the hold ends; `null` before it.
    #[serde(serialize_with = "optional_seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<DateTime<Utc>>"))]
    pub hold_until_at: Option<DateTime<Utc>>,
    /// Whether a process is at it.
    pub alive: bool,
}

/// Kind `swap_init`: the directories, lanes and include file of an environment are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwapInit {
    /// The environment's root.
    pub root: String,
    /// The file that nginx has to include at its http level.
    pub include: String,
    /// The upstreams that it defines.
    pub upstreams: Vec<String>,
    /// What was made or changed by this run.
    pub made: Vec<String>,
}

fn optional_seconds<S: serde::Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => seconds::serialize(at, serializer),
        None => serializer.serialize_none(),
    }
}

fn optional_millis<S: serde::Serializer>(
    seconds: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match seconds {
        Some(seconds) => millis(seconds, serializer),
        None => serializer.serialize_none(),
    }
}
