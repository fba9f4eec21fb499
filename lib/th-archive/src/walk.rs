//! A walk through a directory in the order of the listing. Links are never followed, not even when
//! a directory becomes one meanwhile.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::entry::file_type;
use crate::{EntryPath, Error, Exclude, Meta};

/// A directory at the root that no walk enters: what a restore keeps is not part of the files.
pub const RESERVED: &str = ".th-restore";

/// One step of a walk.
#[derive(Debug)]
pub(crate) enum Step {
    /// A file, directory or link.
    Found(Found),
    /// Something that a set cannot hold, and what it is.
    Skipped(EntryPath, &'static str),
    /// A file or directory that cannot be looked at. A directory itself was found before.
    Unreadable(EntryPath, io::Error),
    /// A file or directory that was there a moment ago.
    Vanished(EntryPath),
}

/// Something that a set can hold.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: EntryPath,
    pub(crate) meta: Meta,
    pub(crate) what: What,
    /// The directory it is in.
    dir: Rc<OwnedFd>,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    File { size: u64 },
    Dir,
    Symlink { target: OsString },
}

impl Step {
    pub(crate) fn path(&self) -> &EntryPath {
        match self {
            Self::Found(Found { path, .. })
            | Self::Skipped(path, _)
            | Self::Unreadable(path, _)
            | Self::Vanished(path) => path,
        }
    }
}

impl Found {
    /// Opens the file, if it still is one: neither a link is followed nor a pipe waited for.
    pub(crate) fn open(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = openat(&self.dir, self.path.split().1, flags, Mode::empty())?;
        Ok(File::from(fd))
    }
}

/// The walk. It holds the names of every directory on the way to where it is.
pub(crate) struct Walk<'a> {
    exclude: &'a Exclude,
    levels: Vec<Level>,
    /// What is to be said next, before the walk goes on.
    next: Option<Step>,
}

struct Level {
    fd: Rc<OwnedFd>,
    /// `None` at the root.
    path: Option<EntryPath>,
    /// Last first.
    names: Vec<OsString>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(root: &Path, exclude: &'a Exclude) -> io::Result<Self> {
        // The root itself may be a link: whoever configured it meant where it points.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(CWD, root, flags, Mode::empty())?;
        let mut level = Level::new(fd, None)?;
        level.names.retain(|name| name != RESERVED);
        Ok(Self {
            exclude,
            levels: vec![level],
            next: None,
        })
    }

    /// Looks at `path`, which is `name` in `dir`, and enters it if it is a directory.
    fn visit(&mut self, dir: Rc<OwnedFd>, path: EntryPath) -> Step {
        let name = path.split().1;
        let stat = match statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(errno) => return lost(path, errno),
        };
        let what = match file_type(&stat) {
            FileType::RegularFile => What::File {
                size: stat.st_size.cast_unsigned(),
            },
            FileType::Directory => What::Dir,
            FileType::Symlink => match readlinkat(&dir, name, Vec::new()) {
                Ok(target) => What::Symlink {
                    target: OsString::from_vec(target.into_bytes()),
                },
                Err(errno) => return lost(path, errno),
            },
            FileType::Fifo => return Step::Skipped(path, "a named pipe"),
            FileType::Socket => return Step::Skipped(path, "a socket"),
            FileType::CharacterDevice | FileType::BlockDevice => {
                return Step::Skipped(path, "a device");
            }
            FileType::Unknown => return Step::Skipped(path, "of an unknown kind"),
        };
        if what == What::Dir {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let entered = openat(&dir, name, flags, Mode::empty())
                .and_then(|fd| Level::new(fd, Some(path.clone())));
            match entered {
                Ok(level) => self.levels.push(level),
                Err(errno) => self.next = Some(lost(path.clone(), errno)),
            }
        }
        Step::Found(Found {
            meta: Meta::new(&stat),
            path,
            what,
            dir,
        })
    }
}

/// Returns the size of all files that a capture of `root` would list.
///
/// # Errors
/// [`Error::Io`], when the root cannot be read; what else cannot be is left out.
pub fn total_bytes(root: &Path, exclude: &Exclude) -> Result<u64, Error> {
    let walk = Walk::new(root, exclude).map_err(Error::io(root))?;
    let size = |step| match step {
        Step::Found(found) => match found.what {
            What::File { size } => size,
            What::Dir | What::Symlink { .. } => 0,
        },
        Step::Skipped(..) | Step::Unreadable(..) | Step::Vanished(_) => 0,
    };
    Ok(walk.map(size).sum())
}

fn lost(path: EntryPath, errno: Errno) -> Step {
    match errno {
        Errno::NOENT => Step::Vanished(path),
        errno => Step::Unreadable(path, errno.into()),
    }
}

impl Level {
    fn new(fd: OwnedFd, path: Option<EntryPath>) -> rustix::io::Result<Self> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&fd)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort_unstable_by(|a, b| b.as_bytes().cmp(a.as_bytes()));
        Ok(Self {
            fd: Rc::new(fd),
            path,
            names,
        })
    }

    fn child(&self, name: &OsStr) -> EntryPath {
        match &self.path {
            Some(path) => path.child(name),
            None => EntryPath::top(name),
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if let Some(step) = self.next.take() {
            return Some(step);
        }
        loop {
            let level = self.levels.last_mut()?;
            let Some(name) = level.names.pop() else {
                self.levels.pop();
                continue;
            };
            let path = level.child(&name);
            if !self.exclude.matches(path.as_path()) {
                let dir = Rc::clone(&level.fd);
                return Some(self.visit(dir, path));
            }
        }
    }
}
