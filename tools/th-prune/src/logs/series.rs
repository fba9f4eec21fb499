//! Which files are one log: the current one and those it was rotated to.

use std::path::{Path, PathBuf};

/// What a rotation appends when it compresses.
const COMPRESSED: [&str; 4] = [".gz", ".xz", ".bz2", ".zst"];

/// Returns what all files of one log have in common: `error.log`, `error.log.2.gz` and
/// `error.log-20261123` are one; `2026-11-22.log` and `2026-11-23.log` are one.
pub(super) fn of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut name = &*name;
    for extension in COMPRESSED {
        name = name.strip_suffix(extension).unwrap_or(name);
    }
    let name: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
    path.with_file_name(name.trim_end_matches(['.', '-', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_compression_make_no_other_log() {
        let series = |name: &str| of(Path::new(name));
        for name in [
            "l/e.log.1",
            "l/e.log.22.gz",
            "l/e.log-20261123",
            "l/e.log.3.zst",
        ] {
            assert_eq!(series(name), series("l/e.log"), "{name}");
        }
        assert_eq!(series("2026-11-22.log"), series("2026-11-23.log.gz"));
        assert_ne!(series("l/a.log"), series("l/e.log"));
        assert_ne!(series("l/e.log"), series("m/e.log"));
    }
}
