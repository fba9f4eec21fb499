//! A limit on how fast data is read.

use std::thread;
use std::time::{Duration, Instant};

/// Sleeps so that no more than a rate of bytes a second passes, on average since the start.
#[derive(Debug)]
pub(crate) struct Throttle {
    rate: Option<u64>,
    start: Instant,
    bytes: u64,
}

impl Throttle {
    /// Makes a throttle of `rate` bytes a second; none lets everything pass.
    pub(crate) fn new(rate: Option<u64>) -> Self {
        Self {
            rate,
            start: Instant::now(),
            bytes: 0,
        }
    }

    /// Lets `bytes` pass, sooner or later.
    pub(crate) fn pass(&mut self, bytes: u64) {
        let Some(rate) = self.rate else {
            return;
        };
        self.bytes += bytes;
        let due = Duration::from_secs_f64(self.bytes as f64 / rate as f64);
        thread::sleep(due.saturating_sub(self.start.elapsed()));
    }
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
}
