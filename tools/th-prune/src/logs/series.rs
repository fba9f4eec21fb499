//! Which files are one log: the current one and those it was rotated to.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What a rotation appends when it compresses.
const COMPRESSED: [&str; 4] = [".gz", ".xz", ".bz2", ".zst"];

/// What parts the name of a log from a date or a number.
const SEPARATORS: [char; 3] = ['-', '_', '.'];

/// Returns what all files of one log have in common: `error.log`, `error.log.2.gz` and
/// `error.log-20261123` are one; `2026-11-22.log` and `2026-11-23.log` are one. `worker1.log` and
/// `worker2.log` are two.
pub(super) fn of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut name = &*name;
    for extension in COMPRESSED {
        name = name.strip_suffix(extension).unwrap_or(name);
    }
    let name = undated(name);
    let name = match name.rfind(".log") {
        Some(at) => {
            let (stem, rotated) = name.split_at(at + ".log".len());
            let rotated = rotated.chars().filter(|c| !c.is_ascii_digit());
            stem.chars().chain(rotated).collect()
        }
        None => unnumbered(&name).to_owned(),
    };
    path.with_file_name(name.trim_end_matches(SEPARATORS))
}

/// Returns the name without the number of a rotation, `messages.1`.
fn unnumbered(name: &str) -> &str {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match name.rsplit_once('.') {
        Some((stem, number)) if is_number(number) => stem,
        _ => name,
    }
}

/// Returns the name without the dates in it, and what parts them from what is before.
fn undated(name: &str) -> String {
    let mut left = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let within = left.ends_with(|c: char| c.is_ascii_digit());
        match after_date(rest).filter(|_| !within) {
            Some(after) => {
                left.truncate(left.trim_end_matches(SEPARATORS).len());
                rest = after;
            }
            None => {
                left.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    left
}

/// Returns what follows the date, `20261123`, `2026-11-23` or `2026-11`, that the text begins with.
fn after_date<'a>(text: &'a str) -> Option<&'a str> {
    let rest = after_number(text, 4, 1970..=2099)?;
    let separator = rest.chars().next().filter(|c| SEPARATORS.contains(c));
    let after = |text: &'a str, most| {
        let text = separator.map_or(Some(text), |separator| text.strip_prefix(separator))?;
        after_number(text, 2, 1..=most)
    };
    let month = after(rest, 12)?;
    match after(month, 31) {
        Some(day) => Some(after_time(day)),
        None => separator.and(Some(month)),
    }
}

/// Returns what follows the hours, minutes and seconds that the text begins with, if it does.
fn after_time(text: &str) -> &str {
    let digits = text.strip_prefix(['T', '-', '_', '.', ':']).unwrap_or(text);
    match after_number(digits, 2, 0..=59) {
        Some(rest) => after_time(rest),
        None => text,
    }
}

/// Returns what follows the number of so many digits that the text begins with.
fn after_number(text: &str, digits: usize, range: RangeInclusive<u16>) -> Option<&str> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number: u16 = number.parse().ok()?;
    range.contains(&number).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_dates_and_compression_make_no_other_log() {
        let series = |name: &str| of(Path::new(name));
        for name in [
            "l/e.log.1",
            "l/e.log.22.gz",
            "l/e.log-20261123",
            "l/e.log-2026112302",
            "l/e.log-1795392000.xz",
            "l/e.log.3.zst",
            "l/e-2026-11-23.log",
            "l/e.2026-11.log",
            "l/e_20261123T020000.log",
        ] {
            assert_eq!(series(name), series("l/e.log"), "{name}");
        }
        assert_eq!(series("2026-11-22.log"), series("2026-11-23.log.gz"));
        assert_eq!(series("journal.jsonl.1"), series("journal.jsonl-20261123"));
        assert_ne!(series("l/a.log"), series("l/e.log"));
        assert_ne!(series("l/e.log"), series("m/e.log"));
    }

    #[test]
    fn a_number_in_a_name_makes_another_log() {
        let names = [
            "worker1.log",
            "worker2.log",
            "web.1.log",
            "web.2.log",
            "x509.log",
            "port-8080-2026-11-22.log",
            "port-8081-2026-11-22.log",
        ];
        let series: std::collections::BTreeSet<_> =
            names.iter().map(|name| of(Path::new(name))).collect();
        assert_eq!(series.len(), names.len(), "{series:?}");
    }
}
