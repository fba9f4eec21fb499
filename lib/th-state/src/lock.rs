//! The lock of an environment: one `flock` on one file, free as soon as its holder is dead.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use chrono::{DateTime, SubsecRound, Utc};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::held::is_locked;
use crate::{Error, State};

/// The environment variable by which a chain hands down the descriptor that holds the lock.
const INHERITED: &str = "TH_LOCK_FD";

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The tool.
    pub tool: String,
    /// Its run.
    pub run: String,
    /// Its process.
    pub pid: u32,
    /// Since when.
    pub since_at: DateTime<Utc>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tool,
            run,
            pid,
            since_at,
        } = self;
        write!(
            f,
            "{tool} (pid {pid}, run {run}) since {}",
            since_at.format("%Y-%m-%d %H:%M:%SZ")
        )
    }
}

/// A held lock. Dropping it frees it, unless the chain above holds it.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Takes the lock at `path` without waiting, or uses the one that the chain above holds.
    ///
    /// # Errors
    /// [`Error::Locked`] with the holder; [`Error::Inherited`] when `$TH_LOCK_FD` names a
    /// descriptor that does not hold this lock; [`Error::Io`].
    pub fn acquire(path: &Path, tool: &str, run: &str) -> Result<Self, Error> {
        let failed = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        // Never truncated on opening: the text is the present holder's.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        let holder = Holder {
            tool: tool.into(),
            run: run.into(),
            pid: std::process::id(),
            since_at: Utc::now().trunc_subsecs(0),
        };
        if let Some(fd) = std::env::var(INHERITED).ok().filter(|fd| !fd.is_empty()) {
            return if inherited(&fd, &file).unwrap_or(false) {
                // Of a chain, the tool whose turn it is.
                holder.note(&mut file);
                Ok(Self { _file: None })
            } else {
                Err(Error::Inherited {
                    fd,
                    path: path.to_owned(),
                })
            };
        }
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Err(Error::Locked {
                    holder: serde_json::from_str(&text).ok(),
                });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        holder.note(&mut file);
        Ok(Self { _file: Some(file) })
    }

    /// Tells whether a run holds the lock of `state`, and takes nothing to find out.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn is_held(state: &State) -> Result<bool, Error> {
        Ok(Self::look(state)?.is_some())
    }

    /// Returns the run that holds the lock of `state`, and takes nothing to find out; `None` when
    /// none does, or the lock file does not say which.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn holder(state: &State) -> Result<Option<Holder>, Error> {
        let text = Self::look(state)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Returns what the lock file says, if it is locked.
    fn look(state: &State) -> Result<Option<String>, Error> {
        let path = state.lock_path();
        let looked = File::open(&path).and_then(|mut file| {
            let mut text = String::new();
            if !is_locked(&file)? {
                return Ok(None);
            }
            file.read_to_string(&mut text)?;
            Ok(Some(text))
        });
        match looked {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map_err(|source| Error::Io { path, source }),
        }
    }
}

impl Holder {
    /// Writes it into the lock's file. The text only helps to name the holder: a full disk must not
    /// forbid to lock.
    fn note(&self, file: &mut File) {
        let _ = self.write(file);
    }

    fn write(&self, file: &mut File) -> io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(serde_json::to_string(self)?.as_bytes())
    }
}

/// Tells whether our descriptor `fd` is open on the file of `lock` and holds an `flock` on it.
fn inherited(fd: &str, lock: &File) -> io::Result<bool> {
    let ours = fs::metadata(format!("/proc/self/fd/{fd}"))?;
    let wanted = lock.metadata()?;
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}"))?;
    let held = info
        .lines()
        .any(|line| line.starts_with("lock:") && line.contains("FLOCK"));
    Ok(held && ours.dev() == wanted.dev() && ours.ino() == wanted.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = Lock::acquire(&path, "th-backup", "run-1").unwrap();
        let Err(Error::Locked {
            holder: Some(holder),
        }) = Lock::acquire(&path, "th-swap", "run-2")
        else {
            panic!("the lock was given twice");
        };
        assert_eq!(
            (holder.tool.as_str(), holder.run.as_str()),
            ("th-backup", "run-1")
        );
        assert_eq!(holder.pid, std::process::id());
        drop(held);
        Lock::acquire(&path, "th-swap", "run-2").unwrap();
    }

    #[test]
    fn who_looks_is_told_who_holds_it_and_keeps_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::at(dir.path());
        assert!(!Lock::is_held(&state).unwrap());
        let held = state.lock("th-backup", "run-1").unwrap();
        assert!(Lock::is_held(&state).unwrap());
        let holder = Lock::holder(&state).unwrap().unwrap();
        assert_eq!(holder.run, "run-1");
        drop(held);
        // What the file says is of nobody now.
        assert!(!Lock::is_held(&state).unwrap());
        assert_eq!(Lock::holder(&state).unwrap(), None);
        state.lock("th-swap", "run-2").unwrap();
    }
}
