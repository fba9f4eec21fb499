//! Whether the engine is still the one it was, and waiting for one that is being restarted.

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::Docker;

/// The time between two looks.
const AGAIN: Duration = Duration::from_millis(100);

/// How long an engine keeps a connection on which nothing is asked: newer ones close it after five
/// minutes.
const LASTS: Duration = Duration::from_secs(240);

/// A connection on which nothing is asked: it ends with the engine.
#[derive(Debug)]
pub struct Presence {
    since: Instant,
    socket: Option<UnixStream>,
}

impl Presence {
    fn at(path: &Path) -> Self {
        let open = || {
            let socket = UnixStream::connect(path)?;
            socket.set_nonblocking(true).map(|()| socket)
        };
        Self {
            since: Instant::now(),
            socket: open().ok(),
        }
    }

    /// Tells whether the engine that answers now is another than the one there was. After minutes
    /// that cannot be told, and is taken for no.
    pub fn is_over(&self) -> bool {
        let Some(mut socket) = self.socket.as_ref() else {
            return true;
        };
        let open = socket.read(&mut [0]);
        let open = open.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        !open && self.since.elapsed() < LASTS
    }
}

impl Docker {
    /// Returns what tells later whether the engine was there all the time.
    pub fn presence(&self) -> Presence {
        Presence::at(self.socket())
    }

    /// Waits until the engine answers, at most `limit`, and tells whether it does. One that was
    /// waited for in vain is not waited for again.
    pub fn comes_back(&self, limit: Duration) -> bool {
        let start = Instant::now();
        while !self.is_given_up() {
            // One that ends may still take connections, and answer none: systemd listens for it.
            let left = limit.saturating_sub(start.elapsed()).max(AGAIN);
            if self.wait_within(left, "ping", self.client().ping()).is_ok() {
                return true;
            }
            if start.elapsed() >= limit {
                self.give_up();
            }
            thread::sleep(AGAIN);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::Presence;

    #[test]
    fn a_presence_is_over_when_the_connection_is() {
        let path = std::env::temp_dir().join(format!("th-presence-{}", std::process::id()));
        assert!(Presence::at(&path).is_over());
        let listener = UnixListener::bind(&path).unwrap();
        let [first, second] = [Presence::at(&path), Presence::at(&path)];
        assert!(!first.is_over());
        let kept = [listener.accept().unwrap(), listener.accept().unwrap()];
        assert!(!first.is_over() && !second.is_over());
        let [closed, kept] = kept;
        drop(closed);
        assert!(first.is_over() && !second.is_over());
        drop(listener);
        assert!(!second.is_over());
        drop(kept);
        assert!(second.is_over());
        std::fs::remove_file(&path).unwrap();
    }
}
