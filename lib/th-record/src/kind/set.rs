//! What `th-restore list` says of each set.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::record::seconds;
use crate::{Id, Level, Status, Tag};

/// Whether a set can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SetState {
    /// Its manifest can be read.
    Readable,
    /// Its manifest is damaged or foreign.
    Unreadable,
    /// Its format is newer than this tool.
    Newer,
}

/// Kind `set`: one item of a list. Items are not records: they have no `tool`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetItem {
    /// The version of the contract.
    pub v: u32,
    /// `set`.
    pub kind: String,
    /// The set's id, or the name of its directory when that is no id.
    pub id: String,
    /// When its snapshot was taken; of an unreadable set, what its id says.
    #[serde(serialize_with = "optional_seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<DateTime<Utc>>"))]
    pub started_at: Option<DateTime<Utc>>,
    /// Whether it can be used.
    pub state: SetState,
    /// Why not, if not.
    pub reason: Option<String>,
    /// The environment it is of.
    pub environment: Option<String>,
    /// Whether it holds all it should.
    pub status: Option<Status>,
    /// The highest level of proof reached.
    pub proof: Option<Level>,
    /// Whether retention must keep it.
    pub pinned: bool,
    /// Free labels.
    pub tags: Vec<Tag>,
    /// The database's name.
    pub database: Option<String>,
    /// Rows in its tables.
    pub rows: Option<u64>,
    /// Files in the set.
    pub files: Option<u64>,
    /// The stored size of all it needs, packs shared with other sets included.
    pub stored_bytes: Option<u64>,
}

/// Kind `sets`: the record after the items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sets {
    /// The store.
    pub store: String,
    /// How many sets were listed.
    pub count: u64,
    /// How many of them cannot be read.
    pub unreadable_count: u64,
    /// The newest set.
    pub newest: Option<Id>,
    /// The newest set that was restored and compared.
    pub newest_proven: Option<Id>,
    /// The size of everything in the store.
    pub stored_bytes: u64,
}

/// Serialises a time as `seconds` does, or `null`.
pub(super) fn optional_seconds<S: serde::Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => seconds::serialize(at, serializer),
        None => serializer.serialize_none(),
    }
}
