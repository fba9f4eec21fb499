//! What `th-swap history` says of each release.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Slot;
use crate::record::seconds;
use crate::{Id, Image};

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// It has the traffic.
    Live,
    /// Another release took its place.
    Retired,
    /// It was rolled back.
    Withdrawn,
}

/// Kind `release`: one item of the history. Items are not records: they have no `tool`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReleaseItem {
    /// The version of the contract.
    pub v: u32,
    /// `release`.
    pub kind: String,
    /// The release.
    pub tag: String,
    /// The slot it ran in.
    pub slot: Slot,
    /// What became of it.
    pub state: ReleaseState,
    /// When it got the traffic.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub deployed_at: DateTime<Utc>,
    /// The run that gave it the traffic.
    pub run: String,
    /// Its images, one for each service.
    pub images: Vec<Image>,
    /// Every migration head that the database was seen at while it had the traffic.
    pub heads: Vec<String>,
    /// The backup made right before it.
    pub pre_release_set: Option<Id>,
}

/// Kind `releases`: the record after the items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Releases {
    /// How many releases were listed.
    pub count: u64,
    /// The one that has the traffic.
    pub live: Option<String>,
    /// The one that `th-swap rollback` would go to.
    pub rollback_to: Option<String>,
}
