//! Files that appear whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use tempfile::NamedTempFile;

/// The start of the name of a file that is not yet whole.
pub const TEMPORARY: &str = ".th-tmp-";

/// A file that replaces the one at its path when committed. Dropped before that, it is removed. It
/// is locked (flock) for as long as its writer lives.
#[derive(Debug)]
pub struct AtomicFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl AtomicFile {
    /// Creates the file with mode 0600, under a temporary name in the directory of `path`.
    ///
    /// # Errors
    /// Those of creating a file.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::create_in(parent(path), path)
    }

    /// As [`AtomicFile::create`], but under a temporary name in `dir`, which must be on the file
    /// system of `path`.
    ///
    /// # Errors
    /// Those of creating a file.
    pub fn create_in(dir: &Path, path: &Path) -> io::Result<Self> {
        loop {
            let file = tempfile::Builder::new()
                .prefix(TEMPORARY)
                .tempfile_in(dir)?;
            // Where there are no locks, nobody asks for one.
            let _ = flock(file.as_file(), FlockOperation::LockExclusive);
            // A sweeper that came before the lock has taken it for a dead one's.
            if file.as_file().metadata()?.nlink() > 0 {
                return Ok(Self {
                    file,
                    path: path.to_owned(),
                });
            }
        }
    }

    /// Sets the permission bits that the file will have, whatever the umask.
    ///
    /// # Errors
    /// Those of chmod.
    pub fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.file
            .as_file()
            .set_permissions(Permissions::from_mode(mode))
    }

    /// Puts the file at its path, durably, in place of what is there.
    ///
    /// # Errors
    /// Those of fsync and rename; the file at the path is then the old one.
    pub fn commit(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|error| error.error)?;
        fsync_dir(parent(&self.path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// Replaces the file at `path` by one that holds `bytes`, mode 0600, at once and durably.
///
/// # Errors
/// Those of [`AtomicFile`].
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Removes the files in `dir` whose writers died before they were whole. Returns their paths and
/// sizes.
///
/// # Errors
/// Those of reading the directory, open and unlink.
pub fn sweep(dir: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut swept = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_temporary = name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes());
        if is_temporary
            && entry.file_type()?.is_file()
            && let Some(bytes) = sweep_file(&entry.path())?
        {
            swept.push((entry.path(), bytes));
        }
    }
    Ok(swept)
}

/// Removes one file, unless its writer lives or has just put it in its place.
fn sweep_file(path: &Path) -> io::Result<Option<u64>> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(None),
        _ => Err(error),
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(errno) => return gone(errno.into()),
    };
    let bytes = file.metadata()?.len();
    // Where there are no locks, the environment's own must do.
    if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        return Ok(None);
    }
    fs::remove_file(path).map_or_else(gone, |()| Ok(Some(bytes)))
}

/// Makes the names in the directory at `path` durable.
///
/// # Errors
/// Those of open and fsync.
pub fn fsync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Returns the directory that `path` is in, `.` for a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        write(&path, b"old").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);

        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.set_mode(0o640).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(file);
        assert_eq!(
            fs::read_dir(&dir).unwrap().count(),
            1,
            "the temp file is left"
        );

        let mut file = AtomicFile::create(&path).unwrap();
        file.set_mode(0o640).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn what_a_dead_writer_has_left_is_swept_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let dead = dir.path().join(".th-tmp-dead");
        fs::write(&path, "whole").unwrap();
        fs::write(&dead, "half").unwrap();
        fs::create_dir(dir.path().join(".th-tmp-dir")).unwrap();
        std::os::unix::fs::symlink(&path, dir.path().join(".th-tmp-link")).unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(sweep(dir.path()).unwrap(), [(dead, 4)]);
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(sweep(dir.path()).unwrap(), []);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 3);
    }
}
