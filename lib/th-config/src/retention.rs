//! What is to be kept, as th.toml says it. th-prune reads the words as it reads its flags.

use std::fmt;

use serde::Deserialize;

/// `[env.NAME.retention]`. Each key has a flag of th-prune of the same name, which wins over it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// How many sets.
    pub keep_last: Option<Word>,
    /// How many hours that have a set.
    pub keep_hourly: Option<Word>,
    /// How many days that have a set.
    pub keep_daily: Option<Word>,
    /// How many ISO weeks that have a set.
    pub keep_weekly: Option<Word>,
    /// How many months that have a set.
    pub keep_monthly: Option<Word>,
    /// How many years that have a set.
    pub keep_yearly: Option<Word>,
    /// Every set of this time before the newest.
    pub keep_within: Option<Word>,
    /// A set for each hour of this time.
    pub keep_within_hourly: Option<Word>,
    /// A set for each day of this time.
    pub keep_within_daily: Option<Word>,
    /// A set for each week of this time.
    pub keep_within_weekly: Option<Word>,
    /// A set for each month of this time.
    pub keep_within_monthly: Option<Word>,
    /// A set for each year of this time.
    pub keep_within_yearly: Option<Word>,
    /// Sets that have all tags of one of these lists, `a=b,c=d`.
    #[serde(default)]
    pub keep_tag: Vec<String>,
    /// The zone in which days begin.
    pub zone: Option<Word>,
    /// How many sets stay whatever the other rules say.
    pub min_keep: Option<Word>,
    /// How old a set must be before it may go.
    pub min_age: Option<Word>,
    /// How many sets may go at once, a number or a percentage.
    pub max_delete: Option<Word>,
    /// How old the newest good set may be before nothing goes any more.
    pub stale_after: Option<Word>,
    /// How long what was deleted stays in the trash.
    pub grace: Option<Word>,
    /// How many releases keep their images.
    pub keep_releases: Option<Word>,
    /// How long databases that restores and releases left stay.
    pub databases_for: Option<Word>,
    /// Which files are logs: globs below the root.
    #[serde(default)]
    pub logs: Vec<String>,
    /// How long logs stay.
    pub logs_for: Option<Word>,
    /// How long what builds have cached stays.
    pub builds_for: Option<Word>,
}

/// A value of th.toml, as it would be typed: `keep_daily = 30` and `min_age = "24h"` alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub struct Word(String);

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(i64),
    Text(String),
}

impl From<Value> for Word {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text,
        })
    }
}

impl Word {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_text_are_words_and_other_keys_are_refused() {
        let read = |text: &str| toml::from_str::<Retention>(text);
        let retention = read("keep_daily = 30\nmin_age = \"24h\"\nmax_delete = \"30%\"").unwrap();
        assert_eq!(retention.keep_daily.unwrap().as_str(), "30");
        assert_eq!(retention.min_age.unwrap().as_str(), "24h");
        assert!(read("keep_dayly = 30").is_err());
        assert!(read("keep_daily = true").is_err());
    }
}
