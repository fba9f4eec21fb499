//! A directory that is written to without ever leaving it: no link on the way is followed, and no
//! file that is there is written over.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, chownat, fchmod,
    fchown, fstat, futimens, linkat, mkdirat, openat, renameat, symlinkat, syncfs, unlinkat,
    utimensat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::{EntryPath, Meta};

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Bits that run a program as the owner or group of its file.
const SET_ID: u32 = 0o6000;

/// A directory, held open.
#[derive(Debug)]
pub struct Tree(OwnedFd);

impl Tree {
    /// Opens the directory at `root`, which may be a link to one.
    ///
    /// # Errors
    /// Those of open.
    pub fn open(root: &Path) -> io::Result<Self> {
        let flags = DIRECTORY.difference(OFlags::NOFOLLOW);
        Ok(Self(openat(CWD, root, flags, Mode::empty())?))
    }

    /// Creates a directory, and those it is in, each with the mode and (if this is root) the owner
    /// of the one it is in. A directory that is there is left as it is.
    ///
    /// # Errors
    /// Those of mkdir, chown and chmod, and of open when a link or a file is in the way.
    pub fn make_dir(&self, path: &EntryPath) -> io::Result<()> {
        self.descend(Some(path.as_path()), true).map(drop)
    }

    /// Creates a file, and the directories it is in, with mode 0600, for reading and writing.
    ///
    /// # Errors
    /// Those of open, among them that there is something of that name.
    pub fn create(&self, path: &EntryPath) -> io::Result<File> {
        let (dir, name) = self.parent(path, true)?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(dir, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Creates a symbolic link to `target`, and the directories it is in.
    ///
    /// # Errors
    /// Those of symlink, among them that there is something of that name.
    pub fn symlink(&self, path: &EntryPath, target: &OsStr) -> io::Result<()> {
        let (dir, name) = self.parent(path, true)?;
        Ok(symlinkat(target, dir, name)?)
    }

    /// Moves a file, link or directory, and creates the directories it goes to. A file that is
    /// there is replaced.
    ///
    /// # Errors
    /// Those of rename.
    pub fn rename(&self, from: &EntryPath, to: &EntryPath) -> io::Result<()> {
        let (from_dir, from) = self.parent(from, false)?;
        let (to_dir, to) = self.parent(to, true)?;
        Ok(renameat(from_dir, from, to_dir, to)?)
    }

    /// Gives a file or link a second name, and creates the directories that name is in.
    ///
    /// # Errors
    /// Those of link.
    pub fn link(&self, from: &EntryPath, to: &EntryPath) -> io::Result<()> {
        let (from_dir, from) = self.parent(from, false)?;
        let (to_dir, to) = self.parent(to, true)?;
        Ok(linkat(from_dir, from, to_dir, to, AtFlags::empty())?)
    }

    /// Gives a directory the permission bits `mode`.
    ///
    /// # Errors
    /// Those of open and chmod.
    pub fn set_dir_mode(&self, path: &EntryPath, mode: u32) -> io::Result<()> {
        let dir = self.descend(Some(path.as_path()), false)?;
        Ok(fchmod(dir, Mode::from_raw_mode(mode))?)
    }

    /// Gives a directory an owner and a group.
    ///
    /// # Errors
    /// Those of open and chown.
    pub fn set_dir_owner(&self, path: &EntryPath, owner: (u32, u32)) -> io::Result<()> {
        let dir = self.descend(Some(path.as_path()), false)?;
        let (uid, gid) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
        Ok(fchown(dir, Some(uid), Some(gid))?)
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// Those of unlink.
    pub fn remove_file(&self, path: &EntryPath) -> io::Result<()> {
        let (dir, name) = self.parent(path, false)?;
        Ok(unlinkat(dir, name, AtFlags::empty())?)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// Those of rmdir.
    pub fn remove_dir(&self, path: &EntryPath) -> io::Result<()> {
        let (dir, name) = self.parent(path, false)?;
        Ok(unlinkat(dir, name, AtFlags::REMOVEDIR)?)
    }

    /// Gives a directory its owner (if this is root), mode and mtime.
    ///
    /// # Errors
    /// Those of open, chown, chmod and utimens.
    pub fn set_dir(&self, path: &EntryPath, meta: &Meta) -> io::Result<()> {
        set(self.descend(Some(path.as_path()), false)?, meta)
    }

    /// Gives a link its owner (if this is root) and mtime.
    ///
    /// # Errors
    /// Those of chown and utimens.
    pub fn set_symlink(&self, path: &EntryPath, meta: &Meta) -> io::Result<()> {
        let (dir, name) = self.parent(path, false)?;
        if geteuid().is_root() {
            let (uid, gid) = owner(meta);
            chownat(&dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(utimensat(dir, name, &times(meta), flags)?)
    }

    /// Makes all that was written durable.
    ///
    /// # Errors
    /// Those of syncfs.
    pub fn sync(&self) -> io::Result<()> {
        Ok(syncfs(&self.0)?)
    }

    /// Opens the directory of `path` and returns it with the name in it.
    fn parent<'p>(&self, path: &'p EntryPath, create: bool) -> io::Result<(OwnedFd, &'p OsStr)> {
        let (dir, name) = path.split();
        Ok((self.descend(dir, create)?, name))
    }

    /// Opens a directory step by step.
    fn descend(&self, path: Option<&Path>, create: bool) -> io::Result<OwnedFd> {
        let mut dir = openat(&self.0, c".", DIRECTORY, Mode::empty())?;
        for name in path.into_iter().flatten() {
            dir = match openat(&dir, name, DIRECTORY, Mode::empty()) {
                Err(Errno::NOENT) if create => {
                    let made = match mkdirat(&dir, name, Mode::RWXU) {
                        Ok(()) => true,
                        Err(Errno::EXIST) => false,
                        Err(errno) => return Err(errno.into()),
                    };
                    let inner = openat(&dir, name, DIRECTORY, Mode::empty())?;
                    if made {
                        inherit(&dir, &inner)?;
                    }
                    inner
                }
                opened => opened?,
            };
        }
        Ok(dir)
    }
}

/// Gives a directory that was just made the owner (if this is root) and mode of the one it is in.
fn inherit(outer: &OwnedFd, inner: &OwnedFd) -> io::Result<()> {
    let stat = fstat(outer)?;
    if geteuid().is_root() {
        let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
        fchown(inner, Some(uid), Some(gid))?;
    }
    Ok(fchmod(inner, Mode::from_raw_mode(stat.st_mode))?)
}

/// Gives an open file or directory its owner (if this is root), mode and mtime.
pub(crate) fn set(fd: impl AsFd, meta: &Meta) -> io::Result<()> {
    let mut mode = meta.mode;
    if geteuid().is_root() {
        let (uid, gid) = owner(meta);
        fchown(&fd, uid, gid)?;
    } else {
        // They would lend this user's rights instead of the owner's.
        mode &= !SET_ID;
    }
    // After the owner: changing that clears the set-id bits.
    fchmod(&fd, Mode::from_raw_mode(mode))?;
    Ok(futimens(fd, &times(meta))?)
}

fn owner(meta: &Meta) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)))
}

fn times(meta: &Meta) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: meta.mtime.timespec(),
    }
}
