//! Whose sets are meant, and of which time.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Source;

/// How far ahead of ours another clock may be.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// Tells whether a set of the time `at` is of the future: a clock was wrong then, or ours is `now`.
pub fn is_ahead(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    at > now + SKEW
}

/// Whose sets are meant: those of an environment, or without one everybody's.
#[derive(Debug, Clone, Default)]
pub struct Scope(pub Option<String>);

impl Scope {
    /// Returns the group of a set: the sets that are a backup of the same. `None` when it is of
    /// another environment; one that names none is taken as this one's.
    pub fn group(&self, source: Source) -> Option<Source> {
        match (&self.0, &source.environment) {
            (Some(ours), Some(its)) if ours != its => None,
            (Some(ours), _) => Some(Source {
                environment: Some(ours.clone()),
                ..source
            }),
            (None, _) => Some(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_of_an_environment_and_of_none() {
        let of = |environment: Option<&str>| Source {
            environment: environment.map(str::to_owned),
            database: Some("app".into()),
            has_files: true,
        };
        let ours = Scope(Some("production".into()));
        let production = Some(of(Some("production")));
        assert_eq!(ours.group(of(Some("production"))), production);
        assert_eq!(ours.group(of(None)), production);
        assert_eq!(ours.group(of(Some("staging"))), None);
        for environment in [None, Some("staging")] {
            let source = of(environment);
            assert_eq!(Scope(None).group(source.clone()), Some(source));
        }
    }
}
