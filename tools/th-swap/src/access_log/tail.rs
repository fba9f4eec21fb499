//! A file that grows, read line by line, through rotation by renaming and through truncation.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A longer line is skipped: memory must not depend on what clients send.
const LONGEST: usize = 64 * 1024;

/// The file at a path, and the one that was there before: nginx goes on writing to that until it
/// is told to reopen.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    files: Vec<Followed>,
}

#[derive(Debug)]
struct Followed {
    file: File,
    inode: u64,
    offset: u64,
    partial: Vec<u8>,
    /// Whether what is read belongs to a line that is too long.
    skipping: bool,
}

impl Tail {
    /// Follows the file at `path` from its present end. It need not be there yet.
    ///
    /// # Errors
    /// Those of opening a file that is there.
    pub(crate) fn at_end(path: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        if let Some(mut followed) = Followed::open(path)? {
            followed.offset = followed.file.metadata()?.len();
            files.push(followed);
        }
        Ok(Self {
            path: path.to_owned(),
            files,
        })
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Hands every whole line that was written since the last call to `each`.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn read(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let current = Followed::open(&self.path)?;
        let known = self.files.last().map(|followed| followed.inode);
        if let Some(current) = current.filter(|current| Some(current.inode) != known) {
            self.files.push(current);
        }
        // A file rotated away twice is not written to any more.
        if self.files.len() > 2 {
            self.files.remove(0).read(&mut each)?;
        }
        for followed in &mut self.files {
            followed.read(&mut each)?;
        }
        Ok(())
    }
}

impl Followed {
    fn open(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self {
                inode: file.metadata()?.ino(),
                file,
                offset: 0,
                partial: Vec::new(),
                skipping: false,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(&mut self, each: &mut impl FnMut(&[u8])) -> io::Result<()> {
        if self.file.metadata()?.len() < self.offset {
            self.offset = 0;
            self.partial.clear();
            self.skipping = false;
        }
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = match self.file.read_at(&mut buffer, self.offset) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.offset += count as u64;
            let mut rest = &buffer[..count];
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                self.take(&rest[..end]);
                if !self.skipping {
                    each(&self.partial);
                }
                self.partial.clear();
                self.skipping = false;
                rest = &rest[end + 1..];
            }
            self.take(rest);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.skipping || self.partial.len() + bytes.len() > LONGEST {
            self.skipping = true;
            self.partial.clear();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;

    struct Log {
        dir: tempfile::TempDir,
        tail: Tail,
    }

    impl Log {
        fn new(before: Option<&str>) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("access.log");
            if let Some(text) = before {
                fs::write(&path, text).unwrap();
            }
            let tail = Tail::at_end(&path).unwrap();
            Self { dir, tail }
        }

        fn append(&self, name: &str, text: &str) {
            let path = self.dir.path().join(name);
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn lines(&mut self) -> Vec<String> {
            let mut lines = Vec::new();
            let each = |line: &[u8]| lines.push(String::from_utf8_lossy(line).into_owned());
            self.tail.read(each).unwrap();
            lines
        }
    }

    #[test]
    fn only_whole_lines_written_from_now_on_are_read() {
        let mut log = Log::new(Some("old\n"));
        log.append("access.log", "a\nb\nhal");
        assert_eq!(log.lines(), ["a", "b"]);
        assert_eq!(log.lines(), [""; 0]);
        log.append("access.log", "f\n");
        assert_eq!(log.lines(), ["half"]);
    }

    #[test]
    fn a_log_that_is_not_there_yet_is_read_from_its_beginning() {
        let mut log = Log::new(None);
        assert_eq!(log.lines(), [""; 0]);
        log.append("access.log", "first\n");
        assert_eq!(log.lines(), ["first"]);
    }

    #[test]
    fn a_renamed_log_is_followed_until_nginx_reopens() {
        let mut log = Log::new(Some(""));
        log.append("access.log", "1\n");
        let path = |name| log.dir.path().join(name);
        fs::rename(path("access.log"), path("access.log.1")).unwrap();
        log.append("access.log.1", "2\n");
        assert_eq!(log.lines(), ["1", "2"]);
        log.append("access.log.1", "3\n");
        log.append("access.log", "4\n");
        assert_eq!(log.lines(), ["3", "4"]);
        log.append("access.log.1", "5\n");
        log.append("access.log", "6\n");
        assert_eq!(log.lines(), ["5", "6"]);
    }

    #[test]
    fn a_truncated_log_is_read_from_its_beginning() {
        let mut log = Log::new(Some("a long line of before\n"));
        let path = log.dir.path().join("access.log");
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(0).unwrap();
        log.append("access.log", "new\n");
        assert_eq!(log.lines(), ["new"]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let mut log = Log::new(Some(""));
        for _ in 0..40 {
            log.append("access.log", &"x".repeat(8 * 1024));
            assert_eq!(log.lines(), [""; 0]);
            assert!(log.tail.files[0].partial.len() <= LONGEST);
        }
        log.append("access.log", "\nafter\n");
        assert_eq!(log.lines(), ["after"]);
    }
}
