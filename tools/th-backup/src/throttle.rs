//! A limit on how fast data is read.

use std::thread;
use std::time::{Duration, Instant};

/// How much of the time in which nothing passed is made up for.
const CREDIT: Duration = Duration::from_secs(1);

/// Sleeps so that no more than a rate of bytes a second passes, on average since it last stood still.
#[derive(Debug)]
pub(crate) struct Throttle {
    rate: Option<u64>,
    /// When all that has passed may have passed.
    due: Instant,
}

impl Throttle {
    /// Makes a throttle of `rate` bytes a second; none lets everything pass.
    pub(crate) fn new(rate: Option<u64>) -> Self {
        Self {
            rate,
            due: Instant::now(),
        }
    }

    /// Lets `bytes` pass, sooner or later.
    pub(crate) fn pass(&mut self, bytes: u64) {
        let Some(rate) = self.rate else {
            return;
        };
        let now = Instant::now();
        let takes = Duration::from_secs_f64(bytes as f64 / rate as f64);
        self.due = next(self.due, takes, now);
        thread::sleep(self.due.saturating_duration_since(now));
    }
}

/// Returns when what `takes` so long may have passed, after what was to have passed at `due`.
fn next(due: Instant, takes: Duration, now: Instant) -> Instant {
    let earliest = now.checked_sub(CREDIT).unwrap_or(now);
    due.max(earliest) + takes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept() {
        let mut throttle = Throttle::new(Some(1_000_000));
        let start = Instant::now();
        for _ in 0..10 {
            throttle.pass(10_000);
        }
        assert!(start.elapsed() >= Duration::from_millis(95));
    }

    #[test]
    fn a_long_wait_is_no_credit() {
        let (due, takes) = (Instant::now(), Duration::from_secs(10));
        let now = due + Duration::from_secs(60);
        assert_eq!(next(due, takes, now), now + takes - CREDIT);
        assert_eq!(next(now, takes, now), now + takes);
    }
}
