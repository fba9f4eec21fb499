//! How far a set has been proven.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Id;
use crate::record::{millis, seconds};

/// A rung of the ladder of proof; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every stored byte has the hash that the manifest names.
    Bytes,
    /// The dump parses to its end.
    Decode,
    /// The dump was restored into a scratch server or database.
    Restore,
    /// Counts, digests, sequences and schema of the restored copy are those of the original.
    Content,
    /// The configured query answers on the restored copy.
    App,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 5] = [
        Self::Bytes,
        Self::Decode,
        Self::Restore,
        Self::Content,
        Self::App,
    ];

    /// From this level on a set counts as proven: that it can be restored says nothing of whether
    /// the copy is the same.
    pub const PROVEN: Self = Self::Content;

    /// Returns the level's name, as in records and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Decode => "decode",
            Self::Restore => "restore",
            Self::Content => "content",
            Self::App => "app",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| {
                format!(
                    "'{text}' is not a level; the levels are bytes, decode, restore, content, app"
                )
            })
    }
}

/// One level, reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reached {
    /// The level.
    pub level: Level,
    /// When it was reached.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub at: DateTime<Utc>,
    /// The tool that proved it.
    pub tool: String,
    /// The version of that tool.
    pub version: String,
    /// How long the proof took.
    #[serde(serialize_with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub duration_seconds: f64,
}

/// What is known of a set beyond its manifest: the only part of a set that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Proof {
    /// The set.
    pub set: Id,
    /// The hash of the manifest that was proven: a proof of other bytes is no proof.
    pub manifest_sha256: String,
    /// The levels reached, lowest first, the latest run of each.
    pub levels: Vec<Reached>,
}

impl Proof {
    /// Returns the highest level reached.
    pub fn highest(&self) -> Option<Level> {
        self.levels.iter().map(|reached| reached.level).max()
    }

    /// Records that a level was reached, in place of an earlier time.
    pub fn reach(&mut self, reached: Reached) {
        self.levels.retain(|earlier| earlier.level != reached.level);
        self.levels.push(reached);
        self.levels.sort_by_key(|reached| reached.level);
    }
}
