//! The files that th.toml calls logs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use th_archive::EntryPath;
use th_cli::Run;
use walkdir::WalkDir;

use super::Log;
use crate::Error;

/// What a file was like when it was looked at.
pub(super) struct Look {
    pub(super) id: (u64, u64),
    pub(super) modified_at: std::time::SystemTime,
    pub(super) size_bytes: u64,
}

/// Returns the regular files below `root` that match one of `globs`. No link is followed.
pub(super) fn find(run: &mut Run, root: &Path, globs: &[String]) -> Result<Vec<Log>, Error> {
    let mut found: BTreeMap<PathBuf, Log> = BTreeMap::new();
    for glob in globs {
        let matcher = matcher(glob)?;
        let start = root.join(start(glob));
        match fs::canonicalize(&start) {
            Ok(real) if real == start => {}
            Ok(_) => {
                run.warn(format!(
                    "'{}' leads through a link: not looked at",
                    start.display()
                ));
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io(&start)(error)),
        }
        for entry in WalkDir::new(&start).follow_root_links(false) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    run.warn(format!("not looked at: {error}"));
                    continue;
                }
            };
            let Ok(below) = entry.path().strip_prefix(root) else {
                continue;
            };
            if !entry.file_type().is_file() || !matcher.is_match(below) {
                continue;
            }
            // What was rotated away meanwhile is none.
            if let (Ok(below), Ok(Some(look))) = (EntryPath::new(below), look(entry.path())) {
                let path = entry.into_path();
                let Look {
                    id,
                    modified_at,
                    size_bytes,
                } = look;
                let log = Log {
                    path: path.clone(),
                    below,
                    id,
                    modified_at,
                    size_bytes,
                };
                found.insert(path, log);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Looks at a file; `None` when it is none.
pub(super) fn look(path: &Path) -> io::Result<Option<Look>> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(metadata.is_file().then_some(Look {
        id: (metadata.dev(), metadata.ino()),
        modified_at: metadata.modified()?,
        size_bytes: metadata.blocks() * 512,
    }))
}

fn matcher(glob: &str) -> Result<GlobMatcher, Error> {
    let invalid = |message: String| th_config::Error::Value {
        setting: "retention.logs",
        message,
    };
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if glob.is_empty() || !Path::new(glob).components().all(plain) {
        let message = format!("'{glob}' is not a path below the root");
        return Err(invalid(message).into());
    }
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    let glob = glob.map_err(|error| invalid(error.to_string()))?;
    Ok(glob.compile_matcher())
}

/// Returns the directory in which all that matches is: the glob up to its first wildcard.
fn start(glob: &str) -> PathBuf {
    let is_plain = |name: &&str| !name.contains(['*', '?', '[', '{', '\\']);
    let mut names: Vec<&str> = glob.split('/').collect();
    names.pop();
    names.iter().copied().take_while(is_plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_starts_where_the_wildcards_do() {
        for (glob, dir) in [
            ("logs/*.log", "logs"),
            ("*.log", ""),
            ("a/b/c.log", "a/b"),
            ("a/**/c.log", "a"),
            ("a/{b,c}/d/*.log", "a"),
        ] {
            assert_eq!(start(glob), Path::new(dir), "{glob}");
        }
    }

    #[test]
    fn a_glob_that_leads_out_is_refused() {
        for glob in ["/var/log/*", "../x/*.log", "a/../../b", "", "a["] {
            assert!(matcher(glob).is_err(), "{glob}");
        }
        assert!(matcher("logs/*.log").unwrap().is_match("logs/a.log"));
        assert!(!matcher("logs/*.log").unwrap().is_match("logs/b/a.log"));
    }
}
