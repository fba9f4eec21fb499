//! How much is to be free.

use std::str::FromStr;

/// A part of a disk, or a size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TargetFree {
    /// Of what this user could use of the disk.
    Percent(f64),
    /// In bytes.
    Bytes(u64),
}

/// The units of sizes, of 1000 and of 1024.
const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

impl TargetFree {
    /// Returns how many of `total` bytes that is.
    pub(crate) fn of(self, total: u64) -> u64 {
        match self {
            // Rounded to bytes: no disk has 2^53 of them.
            Self::Percent(percent) => (total as f64 * percent / 100.0) as u64,
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl FromStr for TargetFree {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is neither a part such as 20% nor a size such as 10GB");
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.trim().parse().map_err(|_| bad())?;
            let sound = percent > 0.0 && percent < 100.0;
            return sound.then_some(Self::Percent(percent)).ok_or_else(bad);
        }
        let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
        let (unit, bytes) = *unit.ok_or_else(bad)?;
        let number: u64 = text
            .strip_suffix(unit)
            .and_then(|number| number.trim().parse().ok())
            .ok_or_else(bad)?;
        number.checked_mul(bytes).map(Self::Bytes).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_sizes_are_understood_and_nothing_else() {
        let read = |text: &str| text.parse::<TargetFree>();
        assert_eq!(read("20%").unwrap().of(1000), 200);
        assert_eq!(read("12.5%").unwrap().of(1000), 125);
        assert_eq!(read("10GB").unwrap().of(0), 10_000_000_000);
        assert_eq!(read("3 MiB").unwrap().of(0), 3 << 20);
        for bad in [
            "",
            "20",
            "0%",
            "100%",
            "-5%",
            "GB",
            "1.5GB",
            "99999999999TB",
            "x%",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
