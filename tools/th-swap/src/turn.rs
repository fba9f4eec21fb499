//! Whose turn it is: the environment's lock, which is let go of while the old slot is only kept warm.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use th_cli::Run;
use th_record::Failure;
use th_state::{Holder, Lock, State};

use crate::Error;

/// How often a lock that another run holds is asked for again.
const AGAIN: Duration = Duration::from_millis(200);

/// The environment's lock, held by this run or by the chain above it.
#[derive(Debug)]
pub(crate) struct Turn {
    lock: Option<Lock>,
    /// The descriptor by which the chain holds the lock, if it does.
    chain: Option<String>,
}

impl Turn {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`th_state::Error::Locked`].
    pub(crate) fn take(state: &State, run: &Run) -> Result<Self, Error> {
        let chain = std::env::var("TH_LOCK_FD").ok().filter(|fd| !fd.is_empty());
        let lock = Some(state.lock(run.tool, &run.id)?);
        Ok(Self { lock, chain })
    }

    /// Waits for the lock that another tool holds as long as `patience`, and then does without it: not
    /// to make users wait for a way back. A swap that holds it is not gone beside.
    ///
    /// # Errors
    /// [`th_state::Error::Locked`], by a swap.
    pub(crate) fn take_or_do_without(
        state: &State,
        run: &mut Run,
        patience: Duration,
    ) -> Result<Self, Error> {
        let mut turn = Self {
            lock: None,
            chain: None,
        };
        turn.retake_or_do_without(state, run, patience)?;
        Ok(turn)
    }

    /// As [`Turn::take_or_do_without`], after [`Turn::give`].
    pub(crate) fn retake_or_do_without(
        &mut self,
        state: &State,
        run: &mut Run,
        patience: Duration,
    ) -> Result<(), Error> {
        match self.retake(state, run, patience) {
            Err(error) if Self::holder(state).is_some_and(|tool| tool != run.tool) => {
                run.warn(format!(
                    "leading the traffic back without the lock: {}",
                    Failure::of(&error).message
                ));
                Ok(())
            }
            taken => taken,
        }
    }

    /// Returns the tool that holds the lock, if the lock file says.
    pub(crate) fn holder(state: &State) -> Option<String> {
        let text = fs::read_to_string(state.path("lock")).ok()?;
        serde_json::from_str(&text)
            .ok()
            .map(|holder: Holder| holder.tool)
    }

    /// Lets go of the lock, also of the one that the chain holds: a rollback must not wait for the
    /// end of the hold.
    pub(crate) fn give(&mut self) -> Result<(), Error> {
        if let Some(fd) = &self.chain {
            flock(&["-u", fd])?;
        }
        self.lock = None;
        Ok(())
    }

    /// Takes the lock again, and waits for it as long as `patience`.
    ///
    /// # Errors
    /// [`th_state::Error::Locked`] after that.
    pub(crate) fn retake(
        &mut self,
        state: &State,
        run: &Run,
        patience: Duration,
    ) -> Result<(), Error> {
        let start = Instant::now();
        if self.lock.is_some() {
            return Ok(());
        }
        loop {
            let taken = match &self.chain {
                Some(fd) if !flock(&["-n", fd])? => Err(th_state::Error::Locked { holder: None }),
                _ => state.lock(run.tool, &run.id),
            };
            match taken {
                Ok(lock) => {
                    self.lock = Some(lock);
                    return Ok(());
                }
                Err(th_state::Error::Locked { .. }) if start.elapsed() < patience => {
                    thread::sleep(AGAIN);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Runs util-linux's flock on a descriptor of the chain: a lock belongs to what was opened, so a
/// child can let go of it for all.
fn flock(args: &[&str]) -> Result<bool, Error> {
    let status = Command::new("flock")
        .args(args)
        .stdin(Stdio::null())
        .status()
        .map_err(|source| Error::Start {
            program: "flock".to_owned(),
            source,
        })?;
    Ok(status.success())
}
