//! One rule of a policy: which sets it keeps.

use std::collections::HashMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use th_record::Level;

use crate::bucket::{Bucket, Local, Period};
use crate::within::Within;

/// A rule, by the name of its key in th.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) period: Period,
    pub(crate) reach: Reach,
}

/// How far back a rule reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// So many buckets that have a set.
    Count(Count),
    /// So long before the newest complete set.
    Within(Within),
}

impl Reach {
    /// Tells whether a rule that reaches so far keeps nothing.
    pub(crate) fn is_zero(self) -> bool {
        match self {
            Self::Count(Count(count)) => count == 0,
            Self::Within(within) => within.is_zero(),
        }
    }
}

impl From<Count> for Reach {
    fn from(count: Count) -> Self {
        Self::Count(count)
    }
}

impl From<Within> for Reach {
    fn from(within: Within) -> Self {
        Self::Within(within)
    }
}

/// A number, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) usize);

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Its place among all sets, the newest first.
    pub(crate) number: usize,
    pub(crate) at: DateTime<Utc>,
    pub(crate) local: Local,
    pub(crate) level: Option<Level>,
}

/// A bucket, and the best set in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) bucket: Bucket,
    pub(crate) best: Seen,
    /// Whether it is kept only because it is the oldest and the count is not used up.
    pub(crate) oldest: bool,
}

impl Rule {
    /// Returns what the rule keeps. `good` are the complete sets and `poor` the degraded ones,
    /// both newest first.
    ///
    /// The buckets that have a complete set are counted from the newest, and the best of each is
    /// kept: the best proven, of equals the newest. If the count is not used up, the oldest set is
    /// kept too. A degraded set only stands in for a bucket that has no complete one, between
    /// buckets that are kept, and in a count of its own: it never takes a complete one's place.
    pub(crate) fn keeps(&self, good: &[Seen], poor: &[Seen], zone: Tz) -> Vec<Kept> {
        let (count, cutoff) = match (self.reach, good.first()) {
            (Reach::Count(Count(count)), _) => (count, DateTime::<Utc>::MIN_UTC),
            (Reach::Within(within), Some(latest)) => (usize::MAX, within.before(latest.at, zone)),
            (Reach::Within(_), None) => return Vec::new(),
        };
        let reached = |seen: &&Seen| seen.at > cutoff;
        let (mut kept, buckets) = self.buckets(good.iter().take_while(reached));
        let more = kept.len() < count;
        kept.truncate(count);
        let limit = match kept.last() {
            Some(last) if !more => last.best.at,
            _ => cutoff,
        };
        let poor = (poor.iter())
            .take_while(|seen| seen.at > limit)
            .filter(|seen| !buckets.contains_key(&self.bucket(seen)));
        let stand_ins = self.buckets(poor).0.into_iter().take(count);
        if let Some(oldest) = good.last().filter(reached)
            && more
            && kept.iter().all(|kept| kept.best.number != oldest.number)
        {
            let bucket = self.bucket(oldest);
            kept.push(Kept {
                bucket,
                best: *oldest,
                oldest: true,
            });
        }
        kept.extend(stand_ins);
        kept
    }

    /// Sorts sets into buckets, the newest first.
    fn buckets<'a>(
        &self,
        sets: impl Iterator<Item = &'a Seen>,
    ) -> (Vec<Kept>, HashMap<Bucket, usize>) {
        let mut found: Vec<Kept> = Vec::new();
        let mut places = HashMap::new();
        for seen in sets {
            let bucket = self.bucket(seen);
            let place = *places.entry(bucket).or_insert(found.len());
            match found.get_mut(place) {
                None => found.push(Kept {
                    bucket,
                    best: *seen,
                    oldest: false,
                }),
                Some(kept) if kept.best.level < seen.level => kept.best = *seen,
                Some(_) => {}
            }
        }
        (found, places)
    }

    fn bucket(&self, seen: &Seen) -> Bucket {
        seen.local.bucket(self.period, seen.number)
    }
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "unlimited" | "-1" => Ok(Self(usize::MAX)),
            number => (number.parse().map(Self))
                .map_err(|_| format!("'{text}' is not a number, nor 'unlimited'")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(sets: &[(&str, Option<Level>)]) -> Vec<Seen> {
        let sets = sets.iter().enumerate();
        sets.map(|(number, (at, level))| {
            let at = at.parse().unwrap();
            let local = Local::new(at, Tz::UTC);
            Seen {
                number,
                at,
                local,
                level: *level,
            }
        })
        .collect()
    }

    fn kept(rule: Rule, good: &[Seen], poor: &[Seen]) -> Vec<usize> {
        let kept = rule.keeps(good, poor, Tz::UTC);
        kept.iter().map(|kept| kept.best.number).collect()
    }

    const fn daily(count: usize) -> Rule {
        Rule {
            name: "keep_daily",
            period: Period::Day,
            reach: Reach::Count(Count(count)),
        }
    }

    #[test]
    fn the_best_proven_of_a_day_stands_for_it_and_then_the_newest() {
        let good = seen(&[
            ("2026-11-23T03:00:00Z", None),
            ("2026-11-23T02:00:00Z", Some(Level::Restore)),
            ("2026-11-23T01:00:00Z", Some(Level::Decode)),
            ("2026-11-22T02:00:00Z", Some(Level::Decode)),
            ("2026-11-22T01:00:00Z", Some(Level::Decode)),
        ]);
        assert_eq!(kept(daily(2), &good, &[]), [1, 3]);
        assert_eq!(kept(daily(1), &good, &[]), [1]);
        assert_eq!(kept(daily(0), &good, &[]), [0; 0]);
        // With a count left, the oldest stays too.
        assert_eq!(kept(daily(3), &good, &[]), [1, 3, 4]);
    }

    #[test]
    fn degraded_sets_fill_gaps_and_take_nobodys_place() {
        let all = seen(&[
            ("2026-11-24T03:00:00Z", None),
            ("2026-11-23T03:00:00Z", None),
            ("2026-11-23T02:00:00Z", None),
            ("2026-11-22T02:00:00Z", None),
            ("2026-11-21T02:00:00Z", None),
            ("2026-11-20T02:00:00Z", None),
        ]);
        let good = [all[1], all[4]];
        let poor = [all[0], all[2], all[3], all[5]];
        // The 23rd has a complete set; the 20th is beyond the second.
        assert_eq!(kept(daily(2), &good, &poor), [1, 4, 0, 3]);
        assert_eq!(kept(daily(9), &good, &poor), [1, 4, 0, 3, 5]);
    }

    #[test]
    fn counts_are_numbers_or_all() {
        assert_eq!("30".parse(), Ok(Count(30)));
        assert_eq!("unlimited".parse(), Ok(Count(usize::MAX)));
        assert_eq!("-1".parse(), Ok(Count(usize::MAX)));
        assert!("-2".parse::<Count>().is_err());
        assert!("".parse::<Count>().is_err());
    }
}
