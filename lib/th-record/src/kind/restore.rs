//! What th-restore says.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Phase, Space};
use crate::record::seconds;
use crate::{Difference, Id, Level, Manifest, Proof};

/// Kind `shown`: one set, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shown {
    /// The set's directory.
    pub path: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// What has been proven of it; `null` when nothing has.
    pub proof: Option<Proof>,
}

/// Kind `verified`: a set was proven, or is shown not to hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verified {
    /// The set.
    pub set: Id,
    /// The level that was asked for.
    pub wanted: Level,
    /// The highest level that this run reached.
    pub reached: Option<Level>,
    /// Every way in which the copy is not the original.
    pub differences: Vec<Difference>,
    /// Where the dump was restored: `container` or `database`; `null` below `restore`.
    pub scratch: Option<String>,
    /// How long each phase took.
    pub phases: Vec<Phase>,
}

/// Kind `restored`: a set is live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Applied {
    /// The set.
    pub set: Id,
    /// When its snapshot was taken: what came after is not in it.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub snapshot_at: DateTime<Utc>,
    /// The databases; `null` when none was restored.
    pub database: Option<Databases>,
    /// The files; `null` when none were restored.
    pub files: Option<FileChanges>,
    /// The configuration files; `null` when none were restored.
    pub config: Option<FileChanges>,
    /// The level that the restored copy was proven to before it went live; `null` for a single
    /// table, which is compared with the set but proves no level of it.
    pub proof: Option<Level>,
    /// Whether `th-restore undo` can take it back.
    pub undoable: bool,
    /// How long each phase took.
    pub phases: Vec<Phase>,
}

/// The databases of a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Databases {
    /// The database that now holds the set's content.
    pub live: String,
    /// The one it replaced, kept under this name; `null` when there was none.
    pub kept: Option<String>,
    /// How many sessions were closed for the renames.
    pub closed_sessions: u64,
    /// Rows in the restored tables; `null` after an undo, which counts none.
    pub rows: Option<u64>,
}

/// What a restore did to a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileChanges {
    /// The directory.
    pub root: String,
    /// Files, directories and links that were as they should be.
    pub unchanged: u64,
    /// Files, directories and links that were missing.
    pub added: u64,
    /// Files, directories and links whose content, kind, mode or owner differed.
    pub replaced: u64,
    /// Files, directories and links that are not in the set.
    pub removed: u64,
    /// The size of what was written.
    pub written_bytes: u64,
    /// Where replaced and removed files are kept, and those that came to be meanwhile where one was
    /// missing; `null` when there are none.
    pub kept: Option<String>,
}

/// Kind `undone`: the last restore was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Undone {
    /// The set whose restore was taken back.
    pub set: Id,
    /// The databases; `null` when the restore had none.
    pub database: Option<Databases>,
    /// Files moved back, of uploads and configuration together.
    pub files_moved: u64,
}

/// Kind `gc`: what restores had kept was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gc {
    /// What was dropped, or with `--plan` would be.
    pub removed: Vec<Removed>,
    /// How many are kept because they are younger.
    pub kept: u64,
}

/// One thing that was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Removed {
    /// `database` or `files`.
    pub what: String,
    /// Its name or path.
    pub name: String,
    /// When the restore that kept it was made.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub since_at: DateTime<Utc>,
    /// Its size.
    pub bytes: u64,
}

/// Kind `restore_plan`: what a restore would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestorePlan {
    /// The set.
    pub set: Id,
    /// When its snapshot was taken.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub snapshot_at: DateTime<Utc>,
    /// The highest level of proof it has.
    pub proof: Option<Level>,
    /// What would be done, in order.
    pub steps: Vec<RestorePlanStep>,
    /// Sessions that would be closed.
    pub sessions: u64,
    /// Space needed and free.
    pub space: Vec<Space>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestorePlanStep {
    /// What would be done: `create_database`, `rename_databases`, `write_files`, …
    pub action: String,
    /// To what.
    pub object: String,
}
