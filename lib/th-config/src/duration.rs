//! Durations, as th.toml and flags have them.

use std::time::Duration;

/// A hundred years, as long as humantime takes one to be: a date so far away still is one.
const LONGEST: Duration = Duration::from_secs(100 * 31_557_600);

/// Reads words such as `90s`, `10m` or `2h 30m`.
///
/// # Errors
/// What is wrong with them: they are no duration, or one of more than a hundred years.
pub fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration > LONGEST => Err("more than a hundred years".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_duration_is_longer_than_a_date_can_be_reckoned() {
        assert_eq!(duration("2h 30m"), Ok(Duration::from_secs(9000)));
        assert_eq!(duration("100y"), Ok(LONGEST));
        for bad in ["101y", "300000y", "soon", ""] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
