//! Lengths of time: `1y5m7d2h` by the calendar, as restic names them, and plain ages.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{
    DateTime, Days, LocalResult, Months, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// Years, months, days and hours, counted by the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Within {
    years: u32,
    months: u32,
    days: u32,
    hours: u32,
}

impl Within {
    /// Tells whether it is no time at all, which switches a rule off.
    pub(crate) fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Returns the instant this long before `latest` in `zone`. Only what is after it is within.
    /// A day that the month does not have is one of the next: a month before March 31st is March
    /// 3rd, as restic has it.
    pub(crate) fn before(self, latest: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        self.checked(latest, zone)
            .unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    fn checked(self, latest: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let local = latest.with_timezone(&zone).naive_local();
        let months = self.years.checked_mul(12)?.checked_add(self.months)?;
        let date = local.date();
        let first = chrono::Datelike::with_day(&date, 1)?;
        let day = chrono::Datelike::day0(&date);
        let date = first
            .checked_sub_months(Months::new(months))?
            .checked_add_days(Days::new(u64::from(day)))?
            .checked_sub_days(Days::new(u64::from(self.days)))?;
        let at = instant(date.and_time(local.time()), zone)?;
        at.checked_sub_signed(TimeDelta::hours(i64::from(self.hours)))
    }
}

/// Returns the instant of a local time: of one that occurs twice the first, and of one that does
/// not occur the one that a clock shows which was not put forward.
fn instant(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
        LocalResult::None => {
            let before = local.checked_sub_signed(TimeDelta::days(1))?;
            let offset = zone.offset_from_local_datetime(&before).earliest()?.fix();
            Some(local.checked_sub_offset(offset)?.and_utc())
        }
    }
}

impl FromStr for Within {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is not a length like 1y5m7d2h");
        if text == "0" {
            return Ok(Self::default());
        }
        let mut within = Self::default();
        let mut last = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
            let number: u32 = rest[..at].parse().map_err(|_| bad())?;
            let (place, unit) = match rest.as_bytes()[at] {
                b'y' => (1, &mut within.years),
                b'm' => (2, &mut within.months),
                b'd' => (3, &mut within.days),
                b'h' => (4, &mut within.hours),
                _ => return Err(bad()),
            };
            if place <= last {
                return Err(bad());
            }
            *unit = number;
            last = place;
            rest = &rest[at + 1..];
        }
        if last == 0 { Err(bad()) } else { Ok(within) }
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, unit) in [
            (self.years, 'y'),
            (self.months, 'm'),
            (self.days, 'd'),
            (self.hours, 'h'),
        ] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

/// A plain length of time, such as `24h` or `90min`; `0` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Age(pub(crate) TimeDelta);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "0" {
            return Ok(Self::default());
        }
        let bad = |why: &dyn fmt::Display| format!("'{text}' is not a time like 24h or 7d: {why}");
        // Minutes here, months in a `Within`: nobody is to guess which.
        let mut units = text.split(|c: char| !c.is_ascii_alphabetic());
        if units.any(|unit| unit == "m") {
            return Err(bad(&"say min or months, not m"));
        }
        let age: Duration = humantime::parse_duration(text).map_err(|error| bad(&error))?;
        TimeDelta::from_std(age)
            .map(Self)
            .map_err(|error| bad(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(within: &str, latest: &str, zone: Tz) -> String {
        let within: Within = within.parse().unwrap();
        within.before(latest.parse().unwrap(), zone).to_rfc3339()
    }

    #[test]
    fn lengths_are_read_as_restic_writes_them() {
        for text in ["1y2m3d4h", "2h", "14d", "1y", "3m5h"] {
            assert_eq!(text.parse::<Within>().unwrap().to_string(), text);
        }
        assert!("0".parse::<Within>().unwrap().is_zero());
        assert!("0d".parse::<Within>().unwrap().is_zero());
        for bad in [
            "",
            "1",
            "d",
            "1w",
            "-1d",
            "1d1d",
            "1h1d",
            "1d ",
            "1.5d",
            "9999999999d",
        ] {
            assert!(bad.parse::<Within>().is_err(), "{bad}");
        }
        assert_eq!("24h".parse::<Age>().unwrap().0, TimeDelta::days(1));
        assert!("0".parse::<Age>().unwrap().0.is_zero());
        assert_eq!(
            "1h 90min".parse::<Age>().unwrap().0,
            TimeDelta::minutes(150)
        );
        for bad in ["", "x", "-1h", "24", "1m", "1h 1m"] {
            assert!(bad.parse::<Age>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_calendar_counts() {
        let utc = Tz::UTC;
        let at = "2026-03-31T12:00:00Z";
        assert_eq!(before("1m", at, utc), "2026-03-03T12:00:00+00:00");
        assert_eq!(before("1y1m1d1h", at, utc), "2025-03-02T11:00:00+00:00");
        assert_eq!(
            before("4000000000y", at, utc),
            DateTime::<Utc>::MIN_UTC.to_rfc3339()
        );
        // The day before a clock was put forward has 23 hours, not 24.
        let rome = Tz::Europe__Rome;
        assert_eq!(
            before("1d", "2026-03-29T10:00:00Z", rome),
            "2026-03-28T11:00:00+00:00"
        );
        assert_eq!(
            before("24h", "2026-03-29T10:00:00Z", rome),
            "2026-03-28T10:00:00+00:00"
        );
        // 02:30 does not occur on the 29th, and occurs twice on October 25th.
        assert_eq!(
            before("1d", "2026-03-30T00:30:00Z", rome),
            "2026-03-29T01:30:00+00:00"
        );
        assert_eq!(
            before("1d", "2026-10-26T01:30:00Z", rome),
            "2026-10-25T00:30:00+00:00"
        );
    }
}
