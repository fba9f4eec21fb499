//! Ids: a UTC second and four random hex digits, for runs and for sets.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// `20261123T020000Z-7f3a`: the id of a set, and of a run that was given none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// The text is not `YYYYMMDDTHHMMSSZ-hhhh`.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not an id like 20261123T020000Z-7f3a")]
pub struct BadId(String);

impl Id {
    /// Makes a new id for the second of `at`. Two ids of one second differ in 65535 cases of 65536;
    /// whoever stores under an id must still refuse to overwrite.
    pub fn new(at: DateTime<Utc>) -> Self {
        // The keys of RandomState come from the operating system's generator.
        let random = RandomState::new().hash_one(at.timestamp_nanos_opt()) & 0xffff;
        Self(format!("{}-{random:04x}", at.format(FORMAT)))
    }

    /// Returns the second that the id was made for.
    pub fn at(&self) -> DateTime<Utc> {
        let second = self.0.split('-').next().unwrap_or_default();
        // Whatever is an id has parsed already.
        NaiveDateTime::parse_from_str(second, FORMAT)
            .unwrap_or_default()
            .and_utc()
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Id {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId(text.to_owned());
        let (second, random) = text.split_once('-').ok_or_else(bad)?;
        let time = NaiveDateTime::parse_from_str(second, FORMAT).map_err(|_| bad())?;
        let hex = random.len() == 4
            && random
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        // Only the canonical spelling: an id is also a directory name.
        if hex && time.format(FORMAT).to_string() == second {
            Ok(Self(text.to_owned()))
        } else {
            Err(bad())
        }
    }
}

impl TryFrom<String> for Id {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn new_ids_parse_and_sort_by_time() {
        let early = Id::new("2026-11-23T02:00:00Z".parse().unwrap());
        let late = Id::new("2026-11-23T02:00:01Z".parse().unwrap());
        assert!(early < late);
        assert_eq!(early.at().to_rfc3339(), "2026-11-23T02:00:00+00:00");
        assert_eq!(early.as_str().parse::<Id>().unwrap(), early);
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        for bad in [
            "",
            "x",
            "20261123T020000Z",
            "20261123T020000Z-7F3A",
            "20261123T020000Z-7f3",
            "20261323T020000Z-7f3a",
            "../20261123T020000Z-7f3a",
            "20261123T020000Z-7f3a/",
        ] {
            assert!(bad.parse::<Id>().is_err(), "{bad}");
        }
    }
}
