//! Limits of a policy, as they are typed.

use std::str::FromStr;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::within::Age;

/// A zone of the IANA database, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Zone(pub(crate) Tz);

/// How many may go at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Unlimited,
    Count(usize),
    /// Of all sets, rounded up.
    Percent(usize),
}

/// How old the newest complete set may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StaleAfter {
    /// Of any age.
    Never,
    /// By the gaps between the sets.
    Derived,
    Fixed(TimeDelta),
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        name.parse().map(Self).map_err(|_| {
            format!("'{name}' is not a zone of the IANA database, such as Europe/Berlin")
        })
    }
}

impl Limit {
    /// Returns how many of `all` may go.
    pub(crate) fn of(self, all: usize) -> usize {
        match self {
            Self::Unlimited => all,
            Self::Count(count) => count,
            Self::Percent(percent) => all.saturating_mul(percent).div_ceil(100),
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is neither a number nor a percentage from 1% to 100%");
        let number = |digits: &str| digits.parse::<usize>().map_err(|_| bad());
        match text.strip_suffix('%') {
            Some(percent) => match number(percent)? {
                100 => Ok(Self::Unlimited),
                percent @ 1..=99 => Ok(Self::Percent(percent)),
                _ => Err(bad()),
            },
            None => Ok(match number(text)? {
                0 => Self::Unlimited,
                count => Self::Count(count),
            }),
        }
    }
}

impl FromStr for StaleAfter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Age(age) = text.parse()?;
        Ok(if age.is_zero() {
            Self::Never
        } else {
            Self::Fixed(age)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_share_rounded_up() {
        let of = |text: &str, all| text.parse::<Limit>().unwrap().of(all);
        assert_eq!((of("30%", 10), of("30%", 1), of("30%", 11)), (3, 1, 4));
        assert_eq!((of("5", 100), of("0", 100), of("100%", 7)), (5, 100, 7));
        for bad in ["0%", "101%", "%", "-1", "x", ""] {
            assert!(bad.parse::<Limit>().is_err(), "{bad}");
        }
    }
}
