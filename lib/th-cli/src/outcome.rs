//! What a tool hands back when it came to an end.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use th_record::{ErrorKind, Failure};

/// The end of a tool's work that has something to show, be it good or bad.
#[derive(Debug)]
pub struct Outcome {
    pub(crate) kind: &'static str,
    pub(crate) data: Option<Box<RawValue>>,
    pub(crate) summary: String,
    pub(crate) changed: bool,
    pub(crate) dry_run: bool,
    pub(crate) failure: Option<Failure>,
}

impl Outcome {
    /// The work is done, or there was nothing to do: a record of `kind`, and a `summary` for a
    /// person, without a final newline.
    pub fn done(kind: &'static str, data: &impl Serialize, summary: String) -> Self {
        Self {
            kind,
            // A payload is made of strings, numbers and lists: it always serialises.
            data: to_raw_value(data).ok(),
            summary,
            changed: false,
            dry_run: false,
            failure: None,
        }
    }

    /// This is only a plan.
    pub fn plan(kind: &'static str, data: &impl Serialize, summary: String) -> Self {
        Self {
            dry_run: true,
            ..Self::done(kind, data, summary)
        }
    }

    /// Something was changed.
    #[must_use]
    pub fn changed(self) -> Self {
        Self {
            changed: true,
            ..self
        }
    }

    /// The work came to an end, but not a good one: `message` says why.
    #[must_use]
    pub fn but(self, kind: ErrorKind, message: impl Into<String>, hint: Option<String>) -> Self {
        let failure = Failure {
            hint,
            ..Failure::new(kind, message)
        };
        Self {
            failure: Some(failure),
            ..self
        }
    }
}
