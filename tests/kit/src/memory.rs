//! How much memory a process takes.

use std::fs;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// Reads the high-water mark of a process, again and again until it ends.
#[derive(Debug)]
pub struct PeakMemory {
    thread: JoinHandle<Option<u64>>,
}

impl PeakMemory {
    pub(crate) fn watch(pid: u32) -> Self {
        let thread = thread::spawn(move || {
            let mut peak = None;
            // A process that has ended has a status, but no memory.
            while let Some(kib) = high_water(pid) {
                peak = Some(kib);
                thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        Self { thread }
    }

    /// Waits for the end of the process, and returns the most KiB it ever held.
    ///
    /// # Errors
    /// When it was never seen.
    pub fn finish(self) -> Result<u64> {
        let peak = self
            .thread
            .join()
            .map_err(|_| anyhow!("the watcher died"))?;
        peak.context("the process was over before it was looked at")
    }
}

fn high_water(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
