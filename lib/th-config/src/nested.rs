//! What backups write, kept apart from what they read.

use std::path::{Path, PathBuf};

use crate::{Environment, Error};

impl Environment {
    /// Refuses a store or a state directory among the files that are to be backed up. `leaves_out`
    /// tells whether a path, relative to the files, is no part of them.
    ///
    /// # Errors
    /// [`Error::Nested`].
    pub fn check_nesting(&self, leaves_out: impl Fn(&Path) -> bool) -> Result<(), Error> {
        let Some(files) = &self.files.uploads else {
            return Ok(());
        };
        let root = real(files);
        let found = [&self.backup.store, &self.state]
            .into_iter()
            .filter_map(|dir| nested(&root, &real(dir), &leaves_out))
            .collect::<Vec<_>>();
        if found.is_empty() {
            return Ok(());
        }
        Err(Error::Nested {
            files: files.clone(),
            found,
        })
    }
}

/// Returns where in `files` the directory `dir` is, if it is a part of them.
fn nested(files: &Path, dir: &Path, leaves_out: &impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let inner = dir.strip_prefix(files).ok()?;
    // A pattern of all that is in a directory matches this name too.
    let content = inner.join("*");
    (!content.ancestors().any(leaves_out)).then(|| inner.to_owned())
}

/// Returns `path` without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let resolve = |dir: &Path| Some(dir.canonicalize().ok()?.join(path.strip_prefix(dir).ok()?));
    path.ancestors()
        .find_map(resolve)
        .unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_part_of_the_files_is_one_that_no_pattern_leaves_out() {
        let found = |dir: &str, out: &[&str]| {
            let leaves_out = |path: &Path| out.iter().any(|it| path == Path::new(it));
            nested(Path::new("/app"), Path::new(dir), &leaves_out)
        };
        assert_eq!(found("/backups", &[]), None);
        assert_eq!(found("/app-backups", &[]), None);
        assert_eq!(found("/app", &[]), Some(PathBuf::new()));
        assert_eq!(found("/app/a/b", &["b"]), Some("a/b".into()));
        for out in ["a/b", "a", "a/b/*"] {
            assert_eq!(found("/app/a/b", &[out]), None, "{out}");
        }
    }

    #[test]
    fn links_do_not_hide_it_and_it_need_not_exist() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        symlink(&root, root.join("link")).unwrap();
        assert_eq!(real(&root.join("link/a/b")), root.join("a/b"));
    }
}
