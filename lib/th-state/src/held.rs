//! Whether a file is locked, found out without locking it: who only looks must be in nobody's way.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

/// Tells whether a process has an `flock` on `file`. In a container, a lock that a process took which
/// has ended, and left to another, is not seen.
pub(crate) fn is_locked(file: &File) -> io::Result<bool> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let device = device(&info, &mounts).ok_or(io::ErrorKind::NotFound)?;
    let inode = file.metadata()?.ino();
    let locks = fs::read_to_string("/proc/locks")?;
    Ok(has_lock(&locks, &format!("{device}:{inode}")))
}

/// Returns the device of a file system as `/proc/locks` writes it. What `stat` tells is another on
/// some, such as btrfs.
fn device(info: &str, mounts: &str) -> Option<String> {
    let mount = info.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
    // `36 35 254:0 / /srv rw,relatime …`
    let mut lines = mounts.lines().map(|line| line.split(' '));
    let mut line =
        lines.find_map(|mut words| (words.next() == Some(mount.trim())).then_some(words))?;
    let (major, minor) = line.nth(1)?.split_once(':')?;
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    Some(format!("{major:02x}:{minor:02x}"))
}

/// Tells whether `file`, a device and an inode, is locked.
fn has_lock(locks: &str, file: &str) -> bool {
    // `1: FLOCK  ADVISORY  WRITE 7092 fe:00:464 0 EOF`; one that waits has a `->` before the FLOCK.
    locks.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some("FLOCK") && words.nth(3) == Some(file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_is_that_of_the_mount() {
        let mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n\
                      36 22 0:45 /@ /srv rw - btrfs /dev/vdb rw\n";
        let info = "pos:\t0\nflags:\t0100000\nmnt_id:\t36\nino:\t7\n";
        assert_eq!(device(info, mounts).as_deref(), Some("00:2d"));
        assert_eq!(
            device(&info.replace("36", "22"), mounts).as_deref(),
            Some("fe:00")
        );
        assert_eq!(device("pos:\t0\n", mounts), None);
    }

    #[test]
    fn a_lock_is_one_that_is_held() {
        let locks = "1: FLOCK  ADVISORY  WRITE 7092 fe:00:464 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 7093 fe:00:465 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 71 fe:00:466 0 EOF\n";
        for (file, held) in [
            ("fe:00:464", true),
            ("fe:00:465", false),
            ("fe:00:466", false),
            ("fe:00:46", false),
        ] {
            assert_eq!(has_lock(locks, file), held, "{file}");
        }
    }
}
