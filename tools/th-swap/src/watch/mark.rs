//! The mark that a process watches: a lock on a file, which dies with it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{FlockOperation, flock};
use th_state::State;

use crate::Error;

const FILE: &str = "hold";

/// The mark, until it is dropped or the process dies.
#[derive(Debug)]
pub(crate) struct Mark {
    file: File,
    is_set: bool,
}

impl Mark {
    /// Makes one, and sets it if it can be.
    pub(crate) fn of(state: &State) -> Result<Self, Error> {
        let mut mark = Self {
            file: open(state)?,
            is_set: false,
        };
        mark.set();
        Ok(mark)
    }

    /// Sets it, unless it is. Who looks for it right now holds it for a moment, and the process that
    /// watched the swap before until that has seen that the swap is over.
    pub(super) fn set(&mut self) {
        let exclusive = FlockOperation::NonBlockingLockExclusive;
        self.is_set = self.is_set || flock(&self.file, exclusive).is_ok();
    }
}

/// Tells whether a process watches.
pub(crate) fn is_marked(state: &State) -> Result<bool, Error> {
    if !state.path(FILE).exists() {
        return Ok(false);
    }
    let locked = flock(&open(state)?, FlockOperation::NonBlockingLockShared);
    Ok(locked == Err(rustix::io::Errno::WOULDBLOCK))
}

fn open(state: &State) -> Result<File, Error> {
    let path = state.path(FILE);
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(Error::io(&path))
}
