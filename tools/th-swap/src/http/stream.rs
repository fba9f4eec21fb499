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

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct NotConnected(io::Error);

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
    ///
    /// # Errors
    /// [`NotConnected`], of the kind that its cause has.
    pub(crate) fn connect(address: &Address, until: Instant) -> io::Result<Self> {
        let socket = match address {
            Address::Unix(path) => connect_unix(path, until).map(Socket::Unix),
            Address::Tcp(address) => connect_tcp(address.as_str(), until).map(Socket::Tcp),
        };
        let refused = |error: io::Error| io::Error::new(error.kind(), NotConnected(error));
        Ok(Self {
            socket: BufReader::new(socket.map_err(refused)?),
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

/// A name may have several addresses, of which not all are listened on: each has its part of the time.
fn connect_tcp(address: impl ToSocketAddrs, until: Instant) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    let addresses: Vec<_> = address.to_socket_addrs()?.collect();
    for (left, address) in (1..=addresses.len() as u32).rev().zip(addresses) {
        let time = until.saturating_duration_since(Instant::now()) / left;
        match TcpStream::connect_timeout(&address, time.max(AGAIN)) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);

    #[test]
    fn a_full_queue_is_waited_for_until_the_deadline() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("full.sock");
        let listener = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = Address::Unix(path);
        let connect = || Stream::connect(&address, Instant::now() + LIMIT);
        let _first = connect().unwrap();
        let full = connect().unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::TimedOut);
        assert!(super::super::is_not_connected(&full));
    }

    /// As `localhost`, which is `::1` and `127.0.0.1` on many hosts, in this order.
    #[test]
    fn the_second_address_of_a_name_will_do() {
        let [closed, open] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = [closed, open.try_clone().unwrap()].map(|it| it.local_addr().unwrap());
        let connected = connect_tcp(&addresses[..], Instant::now() + LIMIT).unwrap();
        assert_eq!(connected.peer_addr().unwrap(), open.local_addr().unwrap());
        let none = connect_tcp(&addresses[..1], Instant::now() + LIMIT);
        assert_eq!(none.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
