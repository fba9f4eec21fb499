//! A small HTTP/1.1 client over unix sockets and TCP, which tells a new connection from a kept one.

mod answer;
mod stream;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) use answer::Answer;
use stream::{NotConnected, Stream};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => f.write_str(address),
        }
    }
}

/// What to ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The path and the query.
    pub(crate) path: &'a str,
    /// The `Host`.
    pub(crate) host: &'a str,
    /// A cookie, `name=value`.
    pub(crate) cookie: Option<&'a str>,
    /// What to POST; `None` is a GET.
    pub(crate) body: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// A GET of `path`.
    pub(crate) fn get(path: &'a str) -> Self {
        Self {
            path,
            host: "localhost",
            cookie: None,
            body: None,
        }
    }

    fn head(&self, keep: bool) -> String {
        let method = self.body.map_or("GET", |_| "POST");
        let mut head = format!(
            "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: th-swap/{}\r\nConnection: {}\r\n",
            self.path,
            self.host,
            env!("CARGO_PKG_VERSION"),
            if keep { "keep-alive" } else { "close" },
        );
        if let Some(cookie) = self.cookie {
            head += &format!("Cookie: {cookie}\r\n");
        }
        if let Some(body) = self.body {
            head += &format!(
                "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        head + "\r\n"
    }
}

/// Connects to `address` within `limit`, and hangs up.
///
/// # Errors
/// As [`Client::send`], of the connection alone.
pub(crate) fn connect(address: &Address, limit: Duration) -> io::Result<()> {
    Stream::connect(address, Instant::now() + limit).map(drop)
}

/// Tells whether `error` is of a connection that was never made: nobody was asked anything.
pub(crate) fn is_not_connected(error: &io::Error) -> bool {
    let inner = error.get_ref();
    inner.is_some_and(|inner| inner.is::<NotConnected>())
}

/// A client of one server. It never sends a request twice.
#[derive(Debug)]
pub(crate) struct Client {
    address: Address,
    limit: Duration,
    keep: bool,
    kept: Option<Stream>,
}

impl Client {
    /// A client that connects for each request, and gives up after `limit`.
    pub(crate) fn fresh(address: Address, limit: Duration) -> Self {
        Self {
            address,
            limit,
            keep: false,
            kept: None,
        }
    }

    /// A client that keeps its connection as long as the server does.
    pub(crate) fn kept_alive(address: Address, limit: Duration) -> Self {
        Self {
            keep: true,
            ..Self::fresh(address, limit)
        }
    }

    /// Sends a request and reads its whole answer.
    ///
    /// A kept connection that breaks is an error like any other: that is what a user's POST meets.
    ///
    /// # Errors
    /// Those of the connection; `TimedOut` after the limit, `InvalidData` for what is not HTTP.
    pub(crate) fn send(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        let until = Instant::now() + self.limit;
        let mut stream = match self.kept.take() {
            // What the server closed in good time, it told us.
            Some(stream) if !stream.is_closed() => stream,
            _ => Stream::connect(&self.address, until)?,
        };
        stream.until(until)?;
        stream.write_all(request.head(self.keep).as_bytes())?;
        if let Some(body) = request.body {
            stream.write_all(body)?;
        }
        let answer = Answer::read(&mut stream)?;
        if self.keep && answer.keep {
            self.kept = Some(stream);
        }
        Ok(answer)
    }
}
