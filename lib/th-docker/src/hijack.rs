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

use crate::{Docker, Error, TIMEOUT};

/// How long a blocked read or write goes without a look at the cancel flag.
const GLANCE: Duration = Duration::from_millis(200);

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
            let mut body = vec![0; head.length.min(HEAD)];
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

/// The status: the connection is ours now.
const SWITCHING: u16 = 101;
/// No head of an answer, and no reason of a refusal, is longer.
const HEAD: usize = 16 * 1024;

/// The head of the engine's answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
}

impl Head {
    /// Reads to the end of the head and not one byte further: a stream follows.
    fn read(socket: &mut impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte)?;
            head.extend(byte);
            if head.len() > HEAD {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        let head = String::from_utf8_lossy(&head);
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok());
        match status {
            Some(status) => Ok(Self {
                status,
                length: length.unwrap_or_default(),
            }),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn refusal(&self, object: &str, body: &[u8]) -> Error {
        let object = object.to_owned();
        let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let message = json.as_ref().and_then(|json| json.get("message")?.as_str());
        match self.status {
            404 => Error::NotFound(object),
            status => Error::Refused {
                object,
                status,
                message: message.unwrap_or("no reason given").to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Head};

    #[test]
    fn not_a_byte_after_the_head_is_taken() {
        let mut answer = &b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\x01\0"[..];
        assert_eq!(
            Head::read(&mut answer).unwrap(),
            Head {
                status: 101,
                length: 0
            }
        );
        assert_eq!(answer, b"\x01\0");
    }

    #[test]
    fn a_refusal_says_why() {
        let answer = "HTTP/1.1 409 Conflict\r\nContent-length: 27\r\n\r\n";
        let head = Head::read(&mut answer.as_bytes()).unwrap();
        assert_eq!(
            head,
            Head {
                status: 409,
                length: 27
            }
        );
        let error = head.refusal("db", br#"{"message":"it is paused"}"#);
        assert!(matches!(error, Error::Refused { message, .. } if message == "it is paused"));
    }
}
