//! What `th-swap canary` says of each step.

use serde::{Deserialize, Serialize};

use crate::record::millis;

/// One step of a canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CanaryStep {
    /// The share that was wanted.
    pub percent: u64,
    /// The lanes that led to the new slot.
    pub lanes: u64,
    /// How long the step took.
    #[serde(serialize_with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub duration_seconds: f64,
    /// What was compared.
    pub compared: Compared,
    /// What was seen of the new slot.
    pub new: CanarySide,
    /// What was seen of the old slot.
    pub old: CanarySide,
    /// What was found.
    pub verdict: CanaryVerdict,
    /// Why, unless it is good.
    pub reason: Option<String>,
}

/// What a canary compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// What users met, from the web server's access log.
    Users,
    /// What the tool's own probes met.
    Probes,
}

/// What was seen of one slot in a step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CanarySide {
    /// All requests to it.
    pub requests: u64,
    /// Those that it answered with 5xx, or not at all.
    pub errors: u64,
    /// Half of the others were answered within this; `null` when there were none.
    #[serde(serialize_with = "optional_millis")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>"))]
    pub p50_seconds: Option<f64>,
    /// 19 of 20 of the others were answered within this; `null` when there were none.
    #[serde(serialize_with = "optional_millis")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>"))]
    pub p95_seconds: Option<f64>,
}

/// What a comparison of the slots comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CanaryVerdict {
    /// The new slot is no worse.
    Good,
    /// The new slot is worse.
    Bad,
    /// Nothing can be said: there is too little traffic, or it may be chance.
    Inconclusive,
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
