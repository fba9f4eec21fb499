//! What th-prune says.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::set::optional_seconds;

/// What a prune does with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PruneAction {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
}

/// Kind `pruned`: the totals of a prune of sets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pruned {}
