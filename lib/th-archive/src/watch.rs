//! Progress of, and the stop sign for, work that moves many bytes.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Told by every loop that moves data how far it is; tells the loop when to stop.
pub struct Watch<'a> {
    stop: &'a AtomicBool,
    on: &'a mut dyn FnMut(&Path, u64),
    on_known: Option<&'a mut dyn FnMut(u64)>,
}

impl<'a> Watch<'a> {
    /// Makes a watch that stops the work once `stop` is set, and calls `on` with the file being
    /// worked on and the bytes moved since the last call.
    pub fn new(stop: &'a AtomicBool, on: &'a mut dyn FnMut(&Path, u64)) -> Self {
        Self {
            stop,
            on,
            on_known: None,
        }
    }

    /// Also calls `on_known` with the size of each file that is known and so need not be moved.
    #[must_use]
    pub fn and_known(self, on_known: &'a mut dyn FnMut(u64)) -> Self {
        Self {
            on_known: Some(on_known),
            ..self
        }
    }

    /// Returns at once, or fails when the work must stop.
    ///
    /// Only loops of our own may call it, never an implementation of `Read` or `Write`: the
    /// standard library tries again after [`io::ErrorKind::Interrupted`].
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`].
    pub fn check(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            Err(io::ErrorKind::Interrupted.into())
        } else {
            Ok(())
        }
    }

    /// Reports `bytes` more of `path`, and checks.
    ///
    /// # Errors
    /// Those of [`Watch::check`].
    pub fn advance(&mut self, path: &Path, bytes: u64) -> io::Result<()> {
        (self.on)(path, bytes);
        self.check()
    }

    /// Reports a file of `bytes` that need not be moved.
    pub(crate) fn pass(&mut self, bytes: u64) {
        if let Some(on_known) = &mut self.on_known {
            on_known(bytes);
        }
    }
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("stop", self.stop)
            .finish_non_exhaustive()
    }
}
