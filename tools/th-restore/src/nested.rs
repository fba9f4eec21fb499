//! A store within the files it is a backup of: a restore of an old set would move the newer sets
//! away.

use std::path::Path;

use th_archive::Exclude;

use crate::Error;

/// Refuses when one of the directories `inner` is within the files of `root`, and not excluded from
/// them.
pub(crate) fn check(root: &Path, exclude: &Exclude, inner: &[&Path]) -> Result<(), Error> {
    let within = inner.iter().find(|inner| is_nested(root, exclude, inner));
    match within {
        Some(inner) => Err(Error::Nested {
            root: root.to_owned(),
            inner: inner.to_path_buf(),
        }),
        None => Ok(()),
    }
}

/// What is not there is nowhere.
fn is_nested(root: &Path, exclude: &Exclude, inner: &Path) -> bool {
    let (Ok(root), Ok(inner)) = (root.canonicalize(), inner.canonicalize()) else {
        return false;
    };
    // `backups/**` leaves out all that is in it, though not the directory itself.
    let Ok(content) = inner
        .join("content")
        .strip_prefix(&root)
        .map(Path::to_owned)
    else {
        return false;
    };
    !content.ancestors().any(|path| exclude.matches(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_directory_is_nested_unless_it_is_excluded() {
        let dir = tempfile::tempdir().unwrap();
        let (root, store) = (dir.path().join("app"), dir.path().join("app/var/backups"));
        fs::create_dir_all(&store).unwrap();
        std::os::unix::fs::symlink(&store, dir.path().join("link")).unwrap();
        let is_nested = |inner: &Path, patterns: &[&str]| {
            is_nested(&root, &Exclude::new(patterns).unwrap(), inner)
        };
        for inner in [&root, &store, &dir.path().join("link")] {
            assert!(is_nested(inner, &["backups", "*.tmp"]), "{inner:?}");
        }
        for pattern in [
            "var",
            "var/**",
            "var/backups",
            "var/backups/**",
            "**/backups",
        ] {
            assert!(!is_nested(&store, &[pattern]), "{pattern}");
        }
        for outer in [dir.path(), &dir.path().join("none")] {
            assert!(!is_nested(outer, &[]), "{outer:?}");
        }
    }
}
