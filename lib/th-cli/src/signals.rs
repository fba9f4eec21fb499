//! SIGINT and SIGTERM: a request to stop at the next safe point, then the signal itself.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use th_record::ErrorKind;

/// Watches for the signals that ask to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    cancel: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
}

impl Signals {
    /// Starts to watch. The first signal raises the flag; a second ends the process at once.
    pub(crate) fn watch() -> io::Result<Self> {
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_default(signal, Arc::clone(&signals.cancel))?;
            flag::register_usize(signal, Arc::clone(&signals.received), signal as usize)?;
            flag::register(signal, Arc::clone(&signals.cancel))?;
        }
        Ok(signals)
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
