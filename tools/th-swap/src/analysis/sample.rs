//! What was seen of a slot.

use super::Latency;
use crate::access_log::Entry;

/// What was seen of one slot.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    /// All requests that it answered, or failed to.
    pub(crate) requests: u64,
    /// Those that it answered with 5xx, or not at all.
    pub(crate) errors: u64,
    /// How long the answers took; failures are left out, which are often quick.
    pub(crate) latency: Latency,
}

/// What was seen of both.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Samples {
    pub(crate) new: Sample,
    pub(crate) old: Sample,
}

impl Sample {
    /// Adds a request from the access log. One whose client went away says nothing.
    pub(crate) fn add(&mut self, entry: &Entry) {
        if let Some(status) = entry.status {
            self.count(status >= 500, entry.seconds);
        }
    }

    /// Adds a request. `seconds` is none when its time says nothing.
    pub(crate) fn count(&mut self, failed: bool, seconds: Option<f64>) {
        self.requests += 1;
        if failed {
            self.errors += 1;
        } else if let Some(seconds) = seconds {
            self.latency.add(seconds);
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.latency.merge(&other.latency);
    }

    /// Returns the share of errors, 0 to 1.
    pub(crate) fn error_rate(&self) -> f64 {
        match self.requests {
            0 => 0.0,
            requests => self.errors as f64 / requests as f64,
        }
    }

    /// Returns the share of errors that is there with 95 % certainty: the lower end of Wilson's
    /// interval, which unlike the usual one holds for few requests and for shares near 0 and 1.
    pub(crate) fn error_rate_at_least(&self) -> f64 {
        if self.requests == 0 {
            return 0.0;
        }
        let (n, p, z) = (self.requests as f64, self.error_rate(), 1.645);
        let spread = z * ((p * (1.0 - p) + z * z / (4.0 * n)) / n).sqrt();
        (p + z * z / (2.0 * n) - spread) / (1.0 + z * z / n)
    }
}

impl Samples {
    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.new.merge(&other.new);
        self.old.merge(&other.old);
    }
}
