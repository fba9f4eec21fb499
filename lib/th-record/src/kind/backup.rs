//! What th-backup says.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::record::{millis, seconds};
use crate::{Id, Level, References, Status, Tag};

/// Kind `backup`: a set was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Backup {
    /// The new set.
    pub set: Id,
    /// The store it is in.
    pub store: String,
    /// The set's directory.
    pub path: String,
    /// When the snapshot was taken: what a restore brings back.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub snapshot_at: DateTime<Utc>,
    /// Whether anything that should be in the set is not.
    pub status: Status,
    /// The highest level of proof reached.
    pub proof: Option<Level>,
    /// The database; `null` with `--no-db`.
    pub database: Option<BackupDatabase>,
    /// The files; `null` with `--no-files`.
    pub files: Option<BackupFiles>,
    /// How many configuration files are in the set.
    pub config_count: u64,
    /// The check that the files which the database names are in the set.
    pub references: Option<References>,
    /// What this backup added to the store.
    pub stored_bytes: u64,
    /// Whether retention must keep the set.
    pub pinned: bool,
    /// Free labels.
    pub tags: Vec<Tag>,
    /// How long each phase took. Phases overlap: the fingerprint is taken while the dump runs.
    pub phases: Vec<Phase>,
}

/// The database in a `backup` record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackupDatabase {
    /// Its name.
    pub name: String,
    /// The server's version.
    pub server_version: String,
    /// How many tables.
    pub tables: u64,
    /// How many rows in them.
    pub rows: u64,
    /// The size of the dump before compression.
    pub dump_bytes: u64,
    /// The size of the dump in the store.
    pub stored_bytes: u64,
}

/// The files in a `backup` record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackupFiles {
    /// Regular files in the set.
    pub count: u64,
    /// Their size.
    pub total_bytes: u64,
    /// Files read for this set.
    pub new_count: u64,
    /// The size of the files that no earlier pack held.
    pub new_bytes: u64,
    /// The size of the new packs in the store.
    pub stored_bytes: u64,
    /// How many could not be read.
    pub unreadable_count: u64,
}

/// How long a phase took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Phase {
    /// `dump`, `fingerprint`, `files`, …
    pub name: String,
    /// Its wall-clock time.
    #[serde(serialize_with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub duration_seconds: f64,
}

/// Kind `backup_plan`: what a backup would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackupPlan {
    /// The store the set would be written to.
    pub store: String,
    /// The database, `name on server`; `null` with `--no-db`.
    pub database: Option<String>,
    /// The directory of files; `null` with `--no-files`.
    pub files: Option<String>,
    /// The configuration files.
    pub config: Vec<String>,
    /// The level that would be proven.
    pub prove: Option<Level>,
    /// The newest set with files, which unchanged ones are taken from; `null` when there is none.
    pub parent: Option<Id>,
    /// Space needed and free in the store.
    pub space: Space,
    /// The median of the last ten backups; `null` before the first.
    pub expected_seconds: Option<f64>,
}

/// Space on one file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Space {
    /// A directory on it.
    pub path: String,
    /// An upper estimate of what will be written.
    pub needed_bytes: u64,
    /// What is free for this user; `null` when that cannot be told.
    pub free_bytes: Option<u64>,
}
