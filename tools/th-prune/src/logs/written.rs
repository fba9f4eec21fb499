//! Which files a process has open for writing.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Returns those of `files`, each a device and an inode, that are open for writing, as far as this
/// user may see: root sees all, also those of containers.
pub(super) fn of(files: BTreeSet<(u64, u64)>) -> BTreeSet<(u64, u64)> {
    let mut written = BTreeSet::new();
    for process in entries(Path::new("/proc")) {
        for descriptor in entries(&process.join("fd")) {
            let Ok(metadata) = fs::metadata(&descriptor) else {
                continue;
            };
            let id = (metadata.dev(), metadata.ino());
            let number = descriptor.file_name().unwrap_or_default();
            if files.contains(&id) && is_for_writing(&process.join("fdinfo").join(number)) {
                written.insert(id);
            }
        }
    }
    written
}

fn entries(dir: &Path) -> impl Iterator<Item = std::path::PathBuf> + use<> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Reads the flags, in octal; the last two bits are 0 for reading only.
fn is_for_writing(info: &Path) -> bool {
    let text = fs::read_to_string(info).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.is_none_or(|flags| u32::from_str_radix(flags.trim(), 8).is_ok_and(|it| it & 3 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, OpenOptions};

    #[test]
    fn a_file_that_is_only_read_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        fs::write(&path, "x").unwrap();
        let metadata = fs::metadata(&path).unwrap();
        let id = (metadata.dev(), metadata.ino());
        let reader = File::open(&path).unwrap();
        assert!(of([id].into()).is_empty());
        let writer = OpenOptions::new().append(true).open(&path).unwrap();
        assert!(of([id].into()).contains(&id));
        drop((reader, writer));
        assert!(of([id].into()).is_empty());
    }
}
