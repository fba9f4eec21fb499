//! Buckets: the hours, days, weeks, months and years that sets fall into.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Offset, Timelike, Utc};
use chrono_tz::Tz;

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    /// Every set has one of its own.
    Set,
    Hour,
    Day,
    /// Of ISO 8601: from Monday, and the days around New Year belong to one week.
    Week,
    Month,
    Year,
}

/// One bucket in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    /// The set of this number.
    Set(usize),
    /// A day, an hour of it, and the offset from UTC in seconds: when a clock is put back, an hour
    /// occurs twice.
    Hour(NaiveDate, u32, i32),
    Day(NaiveDate),
    Week(i32, u32),
    Month(i32, u32),
    Year(i32),
}

/// A set's time on the clock of a zone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local {
    date: NaiveDate,
    hour: u32,
    offset: i32,
}

impl Local {
    /// Returns what a clock in `zone` shows at an instant.
    pub(crate) fn new(at: DateTime<Utc>, zone: Tz) -> Self {
        let local = at.with_timezone(&zone);
        let offset = local.offset().fix().local_minus_utc();
        let local = local.naive_local();
        Self {
            date: local.date(),
            hour: local.hour(),
            offset,
        }
    }

    /// Returns the bucket of the set of this `number`.
    pub(crate) fn bucket(self, period: Period, number: usize) -> Bucket {
        let date = self.date;
        match period {
            Period::Set => Bucket::Set(number),
            Period::Hour => Bucket::Hour(date, self.hour, self.offset),
            Period::Day => Bucket::Day(date),
            Period::Week => Bucket::Week(date.iso_week().year(), date.iso_week().week()),
            Period::Month => Bucket::Month(date.year(), date.month()),
            Period::Year => Bucket::Year(date.year()),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(number) => write!(f, "set {}", number + 1),
            Self::Hour(date, hour, offset) => {
                let (sign, minutes) = (if *offset < 0 { '-' } else { '+' }, offset.abs() / 60);
                write!(
                    f,
                    "{date}T{hour:02}{sign}{:02}:{:02}",
                    minutes / 60,
                    minutes % 60
                )
            }
            Self::Day(date) => write!(f, "{date}"),
            Self::Week(year, week) => write!(f, "{year}-W{week:02}"),
            Self::Month(year, month) => write!(f, "{year}-{month:02}"),
            Self::Year(year) => write!(f, "{year}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(at: &str, zone: Tz, period: Period) -> String {
        Local::new(at.parse().unwrap(), zone)
            .bucket(period, 0)
            .to_string()
    }

    #[test]
    fn days_begin_where_the_zone_says() {
        let at = "2026-11-23T23:30:00Z";
        assert_eq!(show(at, Tz::UTC, Period::Day), "2026-11-23");
        assert_eq!(show(at, Tz::Europe__Berlin, Period::Day), "2026-11-24");
        assert_eq!(
            show(at, Tz::Asia__Kolkata, Period::Hour),
            "2026-11-24T05+05:30"
        );
        assert_eq!(show(at, Tz::America__New_York, Period::Month), "2026-11");
    }

    #[test]
    fn a_week_over_new_year_is_one() {
        for (at, week) in [
            ("2026-12-31T12:00:00Z", "2026-W53"),
            ("2027-01-03T12:00:00Z", "2026-W53"),
            ("2027-01-04T12:00:00Z", "2027-W01"),
            ("2024-12-30T12:00:00Z", "2025-W01"),
        ] {
            assert_eq!(show(at, Tz::UTC, Period::Week), week, "{at}");
        }
        assert_eq!(show("2027-01-03T12:00:00Z", Tz::UTC, Period::Year), "2027");
    }

    #[test]
    fn the_nights_when_clocks_change() {
        let rome = Tz::Europe__Rome;
        // From 02:00 the clock shows 03:00.
        assert_eq!(
            show("2026-03-29T00:59:59Z", rome, Period::Hour),
            "2026-03-29T01+01:00"
        );
        assert_eq!(
            show("2026-03-29T01:00:00Z", rome, Period::Hour),
            "2026-03-29T03+02:00"
        );
        // From 03:00 it shows 02:00 again: two hours, one day.
        assert_eq!(
            show("2026-10-25T00:30:00Z", rome, Period::Hour),
            "2026-10-25T02+02:00"
        );
        assert_eq!(
            show("2026-10-25T01:30:00Z", rome, Period::Hour),
            "2026-10-25T02+01:00"
        );
        assert_eq!(
            show("2026-10-24T22:00:00Z", rome, Period::Day),
            "2026-10-25"
        );
        assert_eq!(
            show("2026-10-25T22:59:59Z", rome, Period::Day),
            "2026-10-25"
        );
    }
}
