//! What ends an errand that takes too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;

/// How often it is looked whether the time is over.
const LOOK: Duration = Duration::from_millis(50);

/// A flag that ends an errand: raised by a signal, or when the errand takes too long.
#[derive(Debug)]
pub(super) struct Deadline {
    signal: Arc<AtomicBool>,
    flag: Arc<AtomicBool>,
}

impl Deadline {
    /// Returns one whose flag is raised along with `signal`.
    pub(super) fn new(signal: Arc<AtomicBool>) -> Self {
        Self {
            signal,
            flag: Arc::default(),
        }
    }

    /// Returns the flag, for what is to be ended by it.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Does `errand`, and raises the flag once it takes longer than `limit`.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] then; those of `errand`.
    pub(super) fn keep<T>(
        &self,
        limit: Duration,
        errand: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let (done, waits) = mpsc::channel::<()>();
        let result = thread::scope(|scope| {
            scope.spawn(move || {
                while waits.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if start.elapsed() >= limit || self.signal.load(Ordering::Relaxed) {
                        self.flag.store(true, Ordering::Relaxed);
                    }
                }
            });
            let result = errand();
            drop(done);
            result
        });
        result.map_err(|error| match start.elapsed() >= limit {
            true => Error::NoAnswer(limit.as_secs()),
            false => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits until `flag` is raised, as a session with a server that does not answer.
    fn wait(flag: &AtomicBool) -> Result<(), Error> {
        while !flag.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
        Err(Error::Cancelled)
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let deadline = Deadline::new(Arc::default());
        let flag = deadline.flag();
        let ended = deadline.keep(Duration::from_millis(1), || wait(&flag));
        assert!(matches!(ended, Err(Error::NoAnswer(0))));
    }

    #[test]
    fn a_signal_ends_it_too() {
        let deadline = Deadline::new(Arc::new(AtomicBool::new(true)));
        let flag = deadline.flag();
        let ended = deadline.keep(Duration::from_secs(600), || wait(&flag));
        assert!(matches!(ended, Err(Error::Cancelled)));
    }

    #[test]
    fn what_is_in_time_is_left_alone() {
        let deadline = Deadline::new(Arc::default());
        let seven = deadline.keep(Duration::from_secs(600), || Ok(7));
        assert_eq!(seven.unwrap(), 7);
        assert!(!deadline.flag().load(Ordering::Relaxed));
    }
}
