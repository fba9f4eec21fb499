//! Which files are left out of a set.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::Error;

/// Patterns of paths, relative to the root, that are left out. The content of a directory that is
/// left out is left out with it.
///
/// `*` does not match a `/`, `**` does: `*.tmp` is at the top only, `**/*.tmp` everywhere. A `./` at
/// the start and a `/` at the end are dropped.
#[derive(Debug, Clone, Default)]
pub struct Exclude {
    set: GlobSet,
    patterns: Vec<String>,
}

impl Exclude {
    /// Makes the set of `patterns`.
    ///
    /// # Errors
    /// [`Error::Glob`].
    pub fn new(patterns: &[impl AsRef<str>]) -> Result<Self, Error> {
        let patterns: Vec<String> = patterns
            .iter()
            .map(|pattern| plain(pattern.as_ref()).to_owned())
            .collect();
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            let glob = GlobBuilder::new(pattern)
                .literal_separator(true)
                .build()
                .map_err(|source| Error::Glob {
                    pattern: pattern.clone(),
                    source,
                })?;
            set.add(glob);
        }
        let set = set.build().map_err(|source| Error::Glob {
            pattern: source.glob().unwrap_or_default().to_owned(),
            source,
        })?;
        Ok(Self { set, patterns })
    }

    /// Returns the patterns.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Tells whether a pattern is of `path` itself, relative to the root.
    pub fn matches(&self, path: &Path) -> bool {
        self.set.is_match(path)
    }
}

/// Returns a pattern as paths are written: `tmp` for `./tmp/`.
fn plain(pattern: &str) -> &str {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    pattern.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_directory() {
        let patterns = ["*.tmp", "**/cache", "thumbs/**", "tmp/", "./x"];
        let exclude = Exclude::new(&patterns).unwrap();
        for (path, left_out) in [
            ("a.tmp", true),
            ("b/a.tmp", false),
            ("cache", true),
            ("b/c/cache", true),
            ("thumbs", false),
            ("thumbs/a/b", true),
            ("tmp", true),
            ("b/tmp", false),
            ("x", true),
        ] {
            assert_eq!(exclude.matches(Path::new(path)), left_out, "{path}");
        }
        assert!(Exclude::new(&["a[".to_owned()]).is_err());
    }
}
