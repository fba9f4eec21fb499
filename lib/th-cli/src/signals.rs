//! SIGINT, SIGTERM and SIGHUP: a request to stop at the next safe point, then the signal itself.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use th_record::ErrorKind;

/// Watches for the signals that ask to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    cancel: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
}

impl Signals {
    /// Starts to watch. The first signal raises the flag; a second SIGINT or SIGTERM ends the
    /// process at once. Of a lost terminal both the shell and the kernel tell, so that no SIGHUP
    /// counts as a second one; under nohup it stays ignored.
    pub(crate) fn watch() -> io::Result<Self> {
        let signals = Self::default();
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_default(signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
            signals.note(signal)?;
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if !ignores(&status, SIGHUP) {
            signals.note(SIGHUP)?;
        }
        Ok(signals)
    }

    fn note(&self, signal: i32) -> io::Result<()> {
        flag::register_usize(signal, Arc::clone(&self.received), signal as usize)?;
        flag::register(signal, Arc::clone(&self.cancel))?;
        Ok(())
    }

    /// Returns the flag that a signal raises.
    pub(crate) fn cancel(&self) -> &Arc<AtomicBool> {
        &self.cancel
    }

    /// Returns the kind of failure of the signal that came, if one did.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        match self.received.load(Ordering::SeqCst) as i32 {
            SIGINT => Some(ErrorKind::Interrupted),
            SIGTERM => Some(ErrorKind::Terminated),
            SIGHUP => Some(ErrorKind::HungUp),
            _ => None,
        }
    }

    /// Ends the process by the signal that came, so that the caller sees it. Returns when none did.
    pub(crate) fn reraise(&self) {
        let signal = self.received.load(Ordering::SeqCst) as i32;
        if signal != 0 {
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    }
}

/// Tells whether a process ignores `signal`, from its `/proc/…/status`.
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_in_the_mask() {
        let status = "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert!(ignores(status, SIGHUP));
        assert!(!ignores(status, SIGINT));
        assert!(!ignores("", SIGHUP));
    }
}
