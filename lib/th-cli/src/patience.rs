//! Waiting for somebody else to let go of what this run needs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use th_record::{ErrorKind, Fail};

use crate::Run;

/// How long it is waited for.
const LIMIT: Duration = Duration::from_secs(60);

const MOMENT: Duration = Duration::from_millis(50);

impl Run {
    /// Returns what `attempt` does, which is made again for a minute as long as somebody else holds
    /// the lock that it needs. `label` says meanwhile what is waited for.
    ///
    /// # Errors
    /// Those of `attempt`; its last one when the minute is over, or a signal asks to stop.
    pub fn patiently<T, E: Fail>(
        &self,
        label: &str,
        attempt: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut shown = None;
        let go_on = || {
            shown.get_or_insert_with(|| self.waiting(label));
            !self.cancelled()
        };
        retry(LIMIT, attempt, go_on)
    }
}

fn retry<T, E: Fail>(
    limit: Duration,
    mut attempt: impl FnMut() -> Result<T, E>,
    mut go_on: impl FnMut() -> bool,
) -> Result<T, E> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(error)
                if error.kind() == ErrorKind::Locked && start.elapsed() < limit && go_on() =>
            {
                sleep(MOMENT);
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[derive(Debug)]
    struct Wrong(ErrorKind);

    impl fmt::Display for Wrong {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "wrong")
        }
    }

    impl std::error::Error for Wrong {}

    impl Fail for Wrong {
        fn kind(&self) -> ErrorKind {
            self.0
        }
    }

    /// Tells how many attempts were made, and whether the last was good.
    fn tries(limit: Duration, fails: usize, kind: ErrorKind, go_on: bool) -> (usize, bool) {
        let mut made = 0;
        let attempt = || {
            made += 1;
            if made > fails {
                Ok(())
            } else {
                Err(Wrong(kind))
            }
        };
        let good = retry(limit, attempt, || go_on).is_ok();
        (made, good)
    }

    #[test]
    fn only_a_lock_is_waited_for_and_not_for_ever() {
        let (long, locked) = (Duration::from_secs(60), ErrorKind::Locked);
        assert_eq!(tries(long, 0, locked, true), (1, true));
        assert_eq!(tries(long, 2, locked, true), (3, true));
        assert_eq!(tries(long, 2, locked, false), (1, false));
        assert_eq!(tries(long, 2, ErrorKind::NotFound, true), (1, false));
        assert_eq!(tries(Duration::ZERO, 2, locked, true), (1, false));
        let (made, good) = tries(MOMENT * 3, 1000, locked, true);
        assert!(made > 1 && !good, "{made}");
    }
}
