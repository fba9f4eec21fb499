//! What is to be kept, of flags and th.toml.

use std::str::FromStr;

use chrono::TimeDelta;
use chrono_tz::Tz;
use th_config::{Retention, Word};

use crate::Error;
use crate::bucket::Period;
use crate::limit::{Limit, StaleAfter, Zone};
use crate::policy_args::PolicyArgs;
use crate::rule::{Count, Reach, Rule};
use crate::within::Age;

/// How long what was deleted stays in the trash, unless told otherwise.
const GRACE: TimeDelta = TimeDelta::hours(48);

/// What is younger stays, unless told otherwise.
const MIN_AGE: TimeDelta = TimeDelta::hours(24);

/// Returns what the flag `$key` says, or else the key of that name.
macro_rules! setting {
    ($args:ident, $keys:ident, $key:ident) => {
        either(
            $args.$key,
            &$keys.$key,
            concat!("retention.", stringify!($key)),
        )?
    };
}

/// What is to be kept. It keeps something.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) rules: Vec<Rule>,
    /// Each is a list of tags; a set that has all of one stays.
    pub(crate) tags: Vec<Vec<String>>,
    pub(crate) zone: Tz,
    pub(crate) min_keep: usize,
    pub(crate) min_age: TimeDelta,
    pub(crate) max_delete: Limit,
    pub(crate) stale_after: StaleAfter,
    pub(crate) grace: TimeDelta,
}

impl Policy {
    /// Makes a policy. A flag wins over its key in th.toml.
    ///
    /// # Errors
    /// [`Error::Config`] when a word of th.toml makes no sense; [`Error::EmptyPolicy`] when nothing
    /// says what to keep.
    pub(crate) fn new(args: &PolicyArgs, keys: &Retention) -> Result<Self, Error> {
        let tags = if args.keep_tag.is_empty() {
            &keys.keep_tag
        } else {
            &args.keep_tag
        };
        let policy = Self {
            rules: rules(args, keys)?,
            tags: (tags.iter().map(|list| split(list)))
                .filter(|list| !list.is_empty())
                .collect(),
            zone: setting!(args, keys, zone).map_or(Tz::UTC, |Zone(zone)| zone),
            min_keep: setting!(args, keys, min_keep).map_or(3, |Count(count)| count),
            min_age: setting!(args, keys, min_age).map_or(MIN_AGE, |Age(age)| age),
            max_delete: setting!(args, keys, max_delete).unwrap_or(Limit::Percent(30)),
            stale_after: setting!(args, keys, stale_after).unwrap_or(StaleAfter::Derived),
            grace: setting!(args, keys, grace).map_or(GRACE, |Age(age)| age),
        };
        if policy.rules.is_empty() && policy.tags.is_empty() {
            return Err(Error::EmptyPolicy);
        }
        Ok(policy)
    }

    /// Tells the policy in words, for the record.
    pub(crate) fn words(&self) -> Vec<String> {
        let rules = self.rules.iter().map(|rule| match rule.reach {
            Reach::Count(Count(usize::MAX)) => format!("{} unlimited", rule.name),
            Reach::Count(Count(count)) => format!("{} {count}", rule.name),
            Reach::Within(within) => format!("{} {within}", rule.name),
        });
        let tags = self
            .tags
            .iter()
            .map(|tags| format!("keep_tag {}", tags.join(",")));
        let zone = format!("zone {}", self.zone);
        rules.chain(tags).chain([zone]).collect()
    }
}

fn rules(args: &PolicyArgs, keys: &Retention) -> Result<Vec<Rule>, Error> {
    macro_rules! rule {
        ($key:ident, $period:ident) => {
            setting!(args, keys, $key).map(|reach| Rule {
                name: stringify!($key),
                period: Period::$period,
                reach: Reach::from(reach),
            })
        };
    }
    let rules = [
        rule!(keep_last, Set),
        rule!(keep_hourly, Hour),
        rule!(keep_daily, Day),
        rule!(keep_weekly, Week),
        rule!(keep_monthly, Month),
        rule!(keep_yearly, Year),
        rule!(keep_within, Set),
        rule!(keep_within_hourly, Hour),
        rule!(keep_within_daily, Day),
        rule!(keep_within_weekly, Week),
        rule!(keep_within_monthly, Month),
        rule!(keep_within_yearly, Year),
    ];
    let rules = rules.into_iter().flatten();
    Ok(rules.filter(|rule| !rule.reach.is_zero()).collect())
}

/// Returns what the flag says, or else the key of th.toml.
pub(crate) fn either<T: FromStr<Err: ToString>>(
    flag: Option<T>,
    word: &Option<Word>,
    setting: &'static str,
) -> Result<Option<T>, Error> {
    if flag.is_some() {
        return Ok(flag);
    }
    let parsed = word.as_ref().map(|word| word.as_str().parse()).transpose();
    Ok(parsed.map_err(|error: T::Err| th_config::Error::Value {
        setting,
        message: error.to_string(),
    })?)
}

/// Returns the tags of a list, `a=b,c=d`.
fn split(list: &str) -> Vec<String> {
    let tags = list.split(',').map(str::trim);
    tags.filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(toml: &str) -> Retention {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn a_flag_wins_over_its_key_and_nothing_is_no_policy() {
        let keys = keys("keep_daily = 30\nkeep_last = 7\nzone = \"Europe/Berlin\"");
        let args = PolicyArgs {
            keep_daily: Some(Count(1)),
            ..PolicyArgs::default()
        };
        let policy = Policy::new(&args, &keys).unwrap();
        assert_eq!(
            policy.words(),
            ["keep_last 7", "keep_daily 1", "zone Europe/Berlin"]
        );
        let nothing = PolicyArgs {
            keep_daily: Some(Count(0)),
            keep_last: Some(Count(0)),
            ..PolicyArgs::default()
        };
        assert!(matches!(
            Policy::new(&nothing, &keys),
            Err(Error::EmptyPolicy)
        ));
    }

    #[test]
    fn a_bad_word_is_named_by_its_key() {
        for (toml, key) in [
            ("keep_daily = -2", "retention.keep_daily"),
            ("keep_within = \"1w\"", "retention.keep_within"),
            ("keep_last = 1\nzone = \"Europe/Berln\"", "retention.zone"),
            ("keep_last = 1\nmax_delete = \"0%\"", "retention.max_delete"),
            ("keep_last = 1\nmin_age = \"soon\"", "retention.min_age"),
        ] {
            let error = Policy::new(&PolicyArgs::default(), &keys(toml)).unwrap_err();
            assert!(error.to_string().starts_with(key), "{toml}: {error}");
        }
    }
}
