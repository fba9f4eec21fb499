//! Points in time as file systems store them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rustix::fs::Timespec;
use serde::{Deserialize, Serialize};

/// A time with nanoseconds, written as `1795392000.000000001`: seconds since 1970 in UTC, as
/// `touch -d @…` takes them. As a JSON number it would lose digits in jq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "&str", into = "String")]
pub struct Timestamp {
    /// Whole seconds since 1970, rounded down.
    seconds: i64,
    /// What is left, below 1,000,000,000.
    nanos: u32,
}

/// The text is not seconds with nine decimals.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a time like 1795392000.000000001")]
pub struct BadTimestamp(String);

const NANOS: u32 = 1_000_000_000;

impl Timestamp {
    /// Makes a time of the two numbers of a `stat`.
    pub(crate) fn new(seconds: i64, nanos: u32) -> Self {
        Self {
            seconds,
            nanos: nanos.min(NANOS - 1),
        }
    }

    /// Returns the whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Returns the time since 1970; zero for one before.
    pub(crate) fn since_1970(self) -> Duration {
        u64::try_from(self.seconds).map_or(Duration::ZERO, |s| Duration::new(s, self.nanos))
    }

    /// Returns the form that system calls take.
    pub(crate) fn timespec(self) -> Timespec {
        Timespec {
            tv_sec: self.seconds,
            tv_nsec: self.nanos.into(),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, nanos } = *self;
        if seconds < 0 && nanos > 0 {
            // -2 s and 0.75 s are -1.25 s.
            write!(f, "-{}.{:09}", -(seconds + 1), NANOS - nanos)
        } else {
            write!(f, "{seconds}.{nanos:09}")
        }
    }
}

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        let parse = || {
            let (whole, fraction) = text.split_once('.')?;
            let (seconds, nanos): (i64, u32) = (whole.parse().ok()?, fraction.parse().ok()?);
            let time = if text.starts_with('-') && nanos > 0 {
                Self::new(seconds.checked_sub(1)?, NANOS.checked_sub(nanos)?)
            } else {
                Self::new(seconds, nanos)
            };
            // Only the canonical spelling.
            (time.to_string() == text).then_some(time)
        };
        parse().ok_or_else(|| BadTimestamp(text.to_owned()))
    }
}

impl TryFrom<&str> for Timestamp {
    type Error = BadTimestamp;

    fn try_from(text: &str) -> Result<Self, BadTimestamp> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_also_before_1970() {
        for (seconds, nanos, text) in [
            (0, 0, "0.000000000"),
            (1_795_392_000, 1, "1795392000.000000001"),
            (-1, 750_000_000, "-0.250000000"),
            (-2, 750_000_000, "-1.250000000"),
            (-2, 0, "-2.000000000"),
            (i64::MAX, 999_999_999, "9223372036854775807.999999999"),
            (i64::MIN, 0, "-9223372036854775808.000000000"),
        ] {
            let time = Timestamp::new(seconds, nanos);
            assert_eq!(time.to_string(), text);
            assert_eq!(text.parse::<Timestamp>().unwrap(), time);
        }
        for bad in [
            "",
            "1",
            "1.0",
            "1.0000000000",
            "+1.000000000",
            "1.00000000x",
            "-0.000000000",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }
}
