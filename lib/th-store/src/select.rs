//! Which set is meant.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::{Error, Listed, SetRef};

/// The shortest start of an id that may stand for it: the year.
const SHORTEST: usize = 4;

/// What a person says when they mean a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The newest.
    Latest,
    /// The newest that was restored and compared.
    LatestProven,
    /// The newest that is not after a time.
    At(DateTime<Utc>),
    /// The one whose id this is, or begins with this.
    Id(String),
}

impl Selector {
    /// Tells whether which set is meant depends on the others: on whose they are, too.
    pub fn is_relative(&self) -> bool {
        !matches!(self, Self::Id(_))
    }

    /// Returns the set that is meant. `sets` are newest first, as [`crate::Store::sets`] gives
    /// them.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], and [`Error::Unreadable`] when an id is that of a
    /// set which cannot be read. `latest` and its kin pass over such sets.
    pub fn pick<'a>(&self, sets: &'a [Listed]) -> Result<&'a SetRef, Error> {
        let mut readable = sets.iter().filter_map(Listed::set);
        let found = match self {
            Self::Latest => readable.next(),
            Self::LatestProven => readable.find(|set| set.is_proven()),
            Self::At(time) => readable.find(|set| set.started_at <= *time),
            Self::Id(prefix) => return by_prefix(prefix, sets),
        };
        found.ok_or_else(|| Error::NotFound(self.to_string()))
    }
}

fn by_prefix<'a>(prefix: &str, sets: &'a [Listed]) -> Result<&'a SetRef, Error> {
    let whole = sets.iter().find(|set| set.name() == prefix);
    let candidates: Vec<&Listed> = match whole {
        Some(set) => vec![set],
        None if prefix.len() < SHORTEST => Vec::new(),
        None => (sets.iter())
            .filter(|set| set.name().starts_with(prefix))
            .collect(),
    };
    match candidates.as_slice() {
        [] => Err(Error::NotFound(prefix.to_owned())),
        [Listed::Set(set)] => Ok(set),
        [Listed::Unreadable(unreadable)] => Err(Error::Unreadable {
            name: unreadable.name.clone(),
            reason: unreadable.reason.clone(),
            newer: unreadable.newer,
        }),
        several => Err(Error::Ambiguous {
            prefix: prefix.to_owned(),
            candidates: several.iter().map(|set| set.name().to_owned()).collect(),
        }),
    }
}

impl FromStr for Selector {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "latest" => Self::Latest,
            "latest-proven" => Self::LatestProven,
            id => Self::Id(id.to_owned()),
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::LatestProven => f.write_str("latest-proven"),
            Self::At(time) => write!(
                f,
                "not after {}",
                time.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            Self::Id(id) => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests;
