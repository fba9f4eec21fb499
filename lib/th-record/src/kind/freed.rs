//! What th-prune says of what is no set: images, databases, logs, the build cache.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::PruneAction;
use super::set::optional_seconds;

/// Kind `prune_object`: one image, database, log, or record of the build cache. Items are not
/// records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PruneObject {
    /// The version of the contract.
    pub v: u32,
    /// `prune_object`.
    pub kind: String,
    /// `image`, `database`, `log` or `build`.
    pub what: String,
    /// Its name, its path, or its id if it has no name.
    pub name: String,
    /// What is done with it.
    pub action: PruneAction,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The rules that keep it: `keep_releases`, `databases_for`, `logs_for` and `builds_for`, as
    /// th.toml names them; `min_age`; `target_free` when there is room enough.
    pub kept_by: Vec<String>,
    /// What keeps it whatever the rules say. An image: `container`, `held`, `child`,
    /// `foreign_name`. A database: `sessions`, `pending`. A log: `newest`, `open`, `no_log`. A
    /// record of the build cache: `in_use`, `shared`, `internal`, `child`. Any: `in_use`, when that
    /// showed only as it was to be deleted.
    pub blocked_by: Vec<String>,
    /// Why it could not be deleted; `null` when it was, or was not to be.
    pub error: Option<String>,
    /// Since when it is there, or when it was last used or written to.
    #[serde(serialize_with = "optional_seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<DateTime<Utc>>"))]
    pub since_at: Option<DateTime<Utc>>,
    /// Its size; what an image shares with others is counted in each.
    pub size_bytes: u64,
}

/// Kind `freed`: images, databases, logs or the build cache were pruned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Freed {
    /// What was pruned, in order.
    pub parts: Vec<FreedPart>,
    /// The file systems that were to have room; none without `--target-free`.
    pub disks: Vec<FreedDisk>,
}

/// One sort of things that were pruned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FreedPart {
    /// `images`, `databases`, `logs` or `builds`.
    pub name: String,
    /// How many were deleted, or with `--plan` would be.
    pub deleted_count: u64,
    /// Their size; what images share is counted in each.
    pub deleted_bytes: u64,
    /// What that gave back to the disk; `null` when it is not known.
    pub freed_bytes: Option<u64>,
    /// How many stay.
    pub kept_count: u64,
    /// How many could not be deleted.
    pub failed_count: u64,
    /// Why nothing could be told of this sort; `null` when it could.
    pub error: Option<String>,
}

/// A file system that was to have room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FreedDisk {
    /// A directory on it.
    pub name: String,
    /// Its size, without what is reserved for root.
    pub total_bytes: u64,
    /// What was free before.
    pub free_before_bytes: u64,
    /// What is free now.
    pub free_bytes: u64,
    /// What was to be free.
    pub target_free_bytes: u64,
}
