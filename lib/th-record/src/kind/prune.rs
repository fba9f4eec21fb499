//! What th-prune says of sets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::set::optional_seconds;
use crate::record::seconds;
use crate::{Id, Level, Status};

/// What a prune does with something that is no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PruneAction {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
}

/// What a prune does with a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SetAction {
    /// It stays where it is.
    Keep,
    /// It goes to the trash.
    Delete,
    /// It goes for good.
    Purge,
}

/// What a prune does with a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PackAction {
    /// It stays.
    Keep,
    /// It goes for good.
    Delete,
    /// It is written anew, with what sets need of it.
    Rewrite,
}

/// Kind `prune_set`: one set, and what becomes of it. Items are not records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PruneSet {
    /// The version of the contract.
    pub v: u32,
    /// `prune_set`.
    pub kind: String,
    /// Its id, or the name of what is among the sets and is none.
    pub set: String,
    /// When its snapshot was taken.
    #[serde(serialize_with = "optional_seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<DateTime<Utc>>"))]
    pub started_at: Option<DateTime<Utc>>,
    /// Whether it holds all it should; `null` when it cannot be read, or is in the trash.
    pub status: Option<Status>,
    /// The highest level of proof reached.
    pub proof: Option<Level>,
    /// When it went to the trash; `null` when it is not there.
    #[serde(serialize_with = "optional_seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<DateTime<Utc>>"))]
    pub deleted_at: Option<DateTime<Utc>>,
    /// What is done with it.
    pub action: SetAction,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The rules that keep it, as th.toml names them.
    pub kept_by: Vec<String>,
    /// What keeps it though no rule does: `newest`, `newest_complete`, `newest_proven`, `pinned`,
    /// `min_age`, `min_keep`, `in_use`, `future`, `other_environment`, `stale`, `max_delete`,
    /// `unreadable`, `grace`.
    pub blocked_by: Vec<String>,
    /// Why it could not be done; `null` when it was, or there was nothing to do.
    pub error: Option<String>,
}

/// Kind `prune_pack`: a pack that is not needed, or of which little is. Items are not records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrunePack {
    /// The version of the contract.
    pub v: u32,
    /// `prune_pack`.
    pub kind: String,
    /// Its name.
    pub pack: String,
    /// Its size.
    pub bytes: u64,
    /// The size of a tar of what sets need of it, before compression; 0 when none needs any.
    pub needed_bytes: u64,
    /// Since when it is known that no set needs it; `null` when one does, or until now.
    #[serde(serialize_with = "optional_seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<DateTime<Utc>>"))]
    pub unused_since_at: Option<DateTime<Utc>>,
    /// What is done with it.
    pub action: PackAction,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// What keeps it as it is: `grace`, `unreadable`, `stale`, `max_delete`.
    pub blocked_by: Vec<String>,
    /// Why it could not be done; `null` when it was, or there was nothing to do.
    pub error: Option<String>,
}

/// Kind `pruned`: the totals of a prune of sets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pruned {
    /// The store; `null` when the sets came from stdin.
    pub store: Option<String>,
    /// The rules, as th.toml names them, and the zone.
    pub policy: Vec<String>,
    /// Sets that stay.
    pub kept_count: u64,
    /// Sets that went to the trash, or with `--plan` would.
    pub deleted_count: u64,
    /// What is among the sets and cannot be read; it stays.
    pub unreadable_count: u64,
    /// The newest complete set.
    pub newest_complete: Option<String>,
    /// The newest set that was restored and compared.
    pub newest_proven: Option<String>,
    /// Sets that stay in the trash.
    pub trash_count: u64,
    /// Sets that went for good.
    pub purged_count: u64,
    /// The size of their own files.
    pub purged_bytes: u64,
    /// Packs that no set needs, and that stay for now.
    pub unused_count: u64,
    /// Packs that went.
    pub packs_deleted_count: u64,
    /// Their size.
    pub packs_deleted_bytes: u64,
    /// Packs that were written anew.
    pub packs_rewritten_count: u64,
    /// What they are smaller by; with `--plan`, at the least.
    pub packs_rewritten_bytes: u64,
    /// How many of all these could not be dealt with.
    pub failed_count: u64,
}

/// Kind `undeleted`: a set came back from the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Undeleted {
    /// The set.
    pub set: Id,
    /// The store.
    pub store: String,
    /// When it had gone to the trash.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub deleted_at: DateTime<Utc>,
}
