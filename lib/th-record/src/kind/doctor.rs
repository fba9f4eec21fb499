//! What `th-swap doctor` and `th-swap maintenance` say.

use serde::{Deserialize, Serialize};

/// Kind `swap_doctor`: the set-up was looked over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwapDoctor {
    /// What is not as it should be, problems first.
    pub findings: Vec<SwapFinding>,
    /// What could not be looked at.
    pub unchecked: Vec<SwapUnchecked>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwapFinding {
    /// Its name, such as `socket_path`.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// The file, container or setting it is about.
    pub subject: String,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub fix: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A release, a reload or a reboot will lose requests, or fail.
    Problem,
    /// It works, but only as long as nothing else goes wrong.
    Advice,
}

impl Severity {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Advice => "advice",
        }
    }
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwapUnchecked {
    /// What: `nginx`, a container, a service.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// Kind `maintenance`: the maintenance page is on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Maintenance {
    /// Whether it is on now.
    pub on: bool,
    /// The file whose presence turns it on.
    pub path: String,
    /// After how many seconds clients are told to come back; `null` when it is off.
    pub retry_after_seconds: Option<u64>,
}
