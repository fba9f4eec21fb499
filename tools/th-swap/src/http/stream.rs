//! A connection with a deadline for all that is done on it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::Address;

/// How often a listener with a full queue is asked again.
const AGAIN: Duration = Duration::from_millis(5);

#[derive(Debug)]
enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: BufReader<Socket>,
    until: Instant,
}

impl Stream {
    /// Connects before `until`.
    pub(crate) fn connect(address: &Address, until: Instant) -> io::Result<Self> {
        let socket = match address {
            Address::Unix(path) => Socket::Unix(connect_unix(path, until)?),
            Address::Tcp(address) => Socket::Tcp(connect_tcp(address, until)?),
        };
        Ok(Self {
            socket: BufReader::new(socket),
            until,
        })
    }

    /// Sets the deadline of what comes next.
    pub(crate) fn until(&mut self, until: Instant) -> io::Result<()> {
        self.until = until;
        self.arm()
    }

    /// Tells whether the server has ended the connection while nothing was asked.
    pub(crate) fn is_closed(&self) -> bool {
        let mut byte = [0];
        let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
        let peeked = match self.socket.get_ref() {
            Socket::Unix(socket) => rustix::net::recv(socket, &mut byte, flags),
            Socket::Tcp(socket) => rustix::net::recv(socket, &mut byte, flags),
        };
        !matches!(peeked, Err(Errno::WOULDBLOCK))
    }

    /// Gives the socket what is left of the time.
    fn arm(&self) -> io::Result<()> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match self.socket.get_ref() {
            Socket::Unix(socket) => {
                socket.set_read_timeout(Some(left))?;
                socket.set_write_timeout(Some(left))
            }
            Socket::Tcp(socket) => {
                socket.set_read_timeout(Some(left))?;
                socket.set_write_timeout(Some(left))
            }
        }
    }
}

/// `connect` on a unix socket whose queue is full waits for ever, so it is not let to wait.
fn connect_unix(path: &Path, until: Instant) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    loop {
        let socket: OwnedFd =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => {
                let stream = UnixStream::from(socket);
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(Errno::AGAIN) if Instant::now() < until => thread::sleep(AGAIN),
            Err(Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn connect_tcp(address: &str, until: Instant) -> io::Result<TcpStream> {
    let left = until.saturating_duration_since(Instant::now());
    let first = address.to_socket_addrs()?.next();
    let first = first.ok_or(io::ErrorKind::AddrNotAvailable)?;
    let stream = TcpStream::connect_timeout(&first, left.max(AGAIN))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A timeout of a socket says `WouldBlock`.
fn explain(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(socket) => socket.read(buffer),
            Self::Tcp(socket) => socket.read(buffer),
        }
        .map_err(explain)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        self.socket.read(buffer)
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.arm()?;
        self.socket.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.socket.consume(amount);
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.arm()?;
        match self.socket.get_mut() {
            Socket::Unix(socket) => socket.write(bytes),
            Socket::Tcp(socket) => socket.write(bytes),
        }
        .map_err(explain)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // The server sees the end of it now, whoever else holds the descriptor.
        let _ = match self.socket.get_ref() {
            Socket::Unix(socket) => socket.shutdown(Shutdown::Both),
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}
