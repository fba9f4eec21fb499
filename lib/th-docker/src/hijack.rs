//! The connection of a running exec, which the engine hands over to its two ends.
//!
//! bollard could do this too, at the price of a runtime thread and two more copies per byte, and
//! it passes a frame cut in two on as if it were whole. A plain socket blocks, splits between
//! threads, and closes halfway by itself.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::head::{self, Head};
use crate::{Docker, Error, TIMEOUT};

/// How long a blocked read or write goes without a look at the cancel flag.
const GLANCE: Duration = Duration::from_millis(200);

/// The status: the connection is ours now.
const SWITCHING: u16 = 101;

/// One end of the connection. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Hijacked {
    socket: Arc<UnixStream>,
    cancel: Arc<AtomicBool>,
}

impl Hijacked {
    /// Tells the program that there is no more input.
    pub(crate) fn close_input(&self) {
        // Fails only when the engine has closed already.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Ends the connection in both directions, at once.
    pub(crate) fn hang_up(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Tells whether the caller wants no more of it.
    pub(crate) fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Repeats `action` until it is done or cancelled.
    fn patiently(
        &self,
        mut action: impl FnMut(&UnixStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            if self.cancelled() {
                self.hang_up();
                // Not `Interrupted`: the standard library would try again, forever.
                return Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    "cancelled",
                ));
            }
            match action(&self.socket) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) => {}
                result => return result,
            }
        }
    }
}

impl Read for Hijacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.patiently(|mut socket| socket.read(buffer))
    }
}

impl Write for Hijacked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|mut socket| match socket.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset || ended(socket) => {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            result => result,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells whether the program has ended: the engine then closes its half of the connection, but
/// goes on to swallow or to block what we send, for minutes.
fn ended(socket: &UnixStream) -> bool {
    let mut fds = [PollFd::new(socket, PollFlags::RDHUP)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|count| count > 0)
}

impl Docker {
    /// Starts a created exec and returns its connection.
    pub(crate) fn hijack(
        &self,
        exec: &str,
        object: &str,
        cancel: Arc<AtomicBool>,
    ) -> Result<Hijacked, Error> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::WouldBlock => Error::Timeout {
                object: object.to_owned(),
                limit: TIMEOUT,
            },
            _ => Error::Unreachable {
                socket: self.socket().to_owned(),
                source: source.into(),
            },
        };
        let mut socket = UnixStream::connect(self.socket()).map_err(failed)?;
        socket.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
        socket.set_write_timeout(Some(TIMEOUT)).map_err(failed)?;
        let body = r#"{"Detach":false,"Tty":false}"#;
        let request = format!(
            "POST /exec/{exec}/start HTTP/1.1\r\n\
             Host: docker\r\n\
             Connection: Upgrade\r\n\
             Upgrade: tcp\r\n\
             Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).map_err(failed)?;
        let head = Head::read(&mut socket).map_err(failed)?;
        if head.status != SWITCHING {
            let mut body = vec![0; head.length.min(head::LIMIT)];
            socket.read_exact(&mut body).map_err(failed)?;
            return Err(head.refusal(object, &body));
        }
        socket.set_read_timeout(Some(GLANCE)).map_err(failed)?;
        socket.set_write_timeout(Some(GLANCE)).map_err(failed)?;
        Ok(Hijacked {
            socket: Arc::new(socket),
            cancel,
        })
    }
}
