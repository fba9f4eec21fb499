//! How long a run takes.

use std::thread;
use std::time::{Duration, Instant};

use crate::Running;

/// How long a run takes, learned anew from each: other tests slow it down, or no longer do.
#[derive(Debug)]
pub struct Pace {
    whole: Duration,
}

impl Pace {
    /// Begins with how long one run has taken.
    pub fn of(whole: Duration) -> Self {
        Self { whole }
    }

    /// Waits until `share` of a run that has just started is over. One that ends before shows how
    /// long a run takes now.
    pub fn wait(&mut self, running: &mut Running, share: f64) {
        let (start, end) = (Instant::now(), self.whole.mul_f64(share));
        while start.elapsed() < end {
            if running.is_over() {
                self.whole = start.elapsed();
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        // Only guessed, since nobody sees the end of this one.
        self.whole = self.whole.mul_f64(1.02);
    }
}
