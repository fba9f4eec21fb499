//! The envelope: one JSON object a line, the tool's own always the last.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Failure;

/// The version of the contract. It changes only when a field is removed or redefined.
pub const VERSION: u32 = 1;

/// What a tool did. `T` is the payload of its kind; readers that pass records on use
/// [`serde_json::Value`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record<T> {
    /// The version of the contract, [`VERSION`].
    pub v: u32,
    /// The shape of `data`.
    pub kind: String,
    /// The tool that wrote the record.
    pub tool: String,
    /// The version of that tool.
    pub version: String,
    /// The id that all records of one chain share.
    pub run: String,
    /// The environment acted on; `null` when flags alone were given, or the tool failed before it
    /// had one.
    pub environment: Option<String>,
    /// When the tool started.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub started_at: DateTime<Utc>,
    /// How long it ran.
    #[serde(serialize_with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub duration_seconds: f64,
    /// Whether the exit status is 0.
    pub ok: bool,
    /// Whether anything was changed.
    pub changed: bool,
    /// Whether this is a plan only.
    pub dry_run: bool,
    /// What the person should know, though it is no failure.
    pub warnings: Vec<String>,
    /// The payload; `null` when the tool failed before it had one, or had nothing to tell of.
    pub data: Option<T>,
    /// Why the tool failed; `null` when it did not.
    pub error: Option<Failure>,
}

/// Serialises a duration rounded to milliseconds, as every `_seconds` field of a record.
///
/// # Errors
/// Those of the serializer.
pub fn millis<S: Serializer>(seconds: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((seconds * 1000.0).round() / 1000.0)
}

/// RFC 3339 in UTC with whole seconds, as every `_at` field of a record.
pub mod seconds {
    use super::{DateTime, Deserialize, Deserializer, SecondsFormat, Serializer, Utc};

    /// Writes `2026-11-23T02:00:00Z`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    /// Reads any RFC 3339 time.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::<Utc>::deserialize(from)
    }
}
