//! Enough HTTP/1.1 for the users, and for what takes long: an upload, a download, a websocket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A kept connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Tells whether the server has ended it while nothing was asked.
    pub(super) fn is_closed(&self) -> bool {
        let socket = self.stream.get_ref();
        let _ = socket.set_nonblocking(true);
        let closed = matches!(socket.peek(&mut [0]), Ok(0));
        let _ = socket.set_nonblocking(false);
        closed
    }

    /// Sends a request; returns the status, the slot, and whether the connection is kept.
    pub(super) fn ask(
        &mut self,
        path: &str,
        headers: &str,
        body: Option<&[u8]>,
    ) -> io::Result<(u16, String, bool)> {
        let length = body.map_or(String::new(), |body| {
            format!("Content-Length: {}\r\n", body.len())
        });
        let method = body.map_or("GET", |_| "POST");
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(body.unwrap_or_default());
        self.stream.get_mut().write_all(&request)?;
        let (status, answer) = self.head()?;
        let chunked = answer.value("transfer-encoding").is_some();
        if chunked {
            while self.chunk()? {}
        } else {
            let length = answer
                .value("content-length")
                .and_then(|value| value.parse().ok());
            let mut left: u64 = length.unwrap_or(0);
            self.skip(&mut left)?;
        }
        let keep = answer.value("connection") != Some("close");
        Ok((
            status,
            answer.value("x-th-slot").unwrap_or_default().to_owned(),
            keep,
        ))
    }

    fn head(&mut self) -> io::Result<(u16, Head)> {
        let first = self.line()?;
        let status = first.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                return Ok((status, Head(headers)));
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn chunk(&mut self) -> io::Result<bool> {
        let line = self.line()?;
        let mut left =
            u64::from_str_radix(line.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
        let more = left > 0;
        self.skip(&mut left)?;
        self.line()?;
        Ok(more)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn skip(&mut self, left: &mut u64) -> io::Result<()> {
        let copied = io::copy(&mut (&mut self.stream).take(*left), &mut io::sink())?;
        *left -= copied;
        if *left == 0 {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// Returns the slot that answers each of `users` users, who have a cookie each.
///
/// # Errors
/// Those of the connection.
pub fn slots_of_users(
    address: &str,
    path: &str,
    headers: &str,
    users: u32,
) -> io::Result<Vec<String>> {
    let mut connection = Connection::open(address)?;
    (0..users)
        .map(|user| {
            let headers = format!("Cookie: th_client=share-{user}\r\n{headers}");
            let (_, slot, keep) = connection.ask(path, &headers, None)?;
            if !keep {
                connection = Connection::open(address)?;
            }
            Ok(slot)
        })
        .collect()
}

#[derive(Debug)]
struct Head(Vec<(String, String)>);

impl Head {
    fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Something that takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Long {
    /// A POST whose body is sent over the time.
    Upload,
    /// A GET whose answer comes over the time.
    Download,
    /// A websocket that is open for the time.
    Websocket,
}

/// A long request on its way.
#[derive(Debug)]
pub struct Stream {
    thread: JoinHandle<io::Result<String>>,
    stop: Arc<AtomicBool>,
}

impl Stream {
    /// Starts one that takes about `time`. `path` answers it, with `headers`.
    pub fn start(long: Long, address: &str, path: &str, headers: &str, time: Duration) -> Self {
        let (address, path, headers) = (address.to_owned(), path.to_owned(), headers.to_owned());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut connection = Connection::open(&address)?;
            match long {
                Long::Upload => connection.upload(&path, &headers, time),
                Long::Download => connection.download(&path, &headers, time),
                Long::Websocket => connection.websocket(&path, &headers, time, &stopped),
            }
        });
        Self { thread, stop }
    }

    /// Waits for its end; returns the slot that served it.
    ///
    /// # Errors
    /// How it was cut.
    pub fn finish(self) -> io::Result<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.finish_in_time()
    }

    /// As [`Stream::finish`], but a websocket is open for all of its time.
    ///
    /// # Errors
    /// How it was cut.
    pub fn finish_in_time(self) -> io::Result<String> {
        let cut = |_| io::Error::other("the thread died");
        self.thread.join().map_err(cut)?
    }
}

impl Connection {
    fn upload(&mut self, path: &str, headers: &str, time: Duration) -> io::Result<String> {
        const PIECES: u32 = 50;
        let piece = [b'u'; 20_000];
        let length = piece.len() * PIECES as usize;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        for _ in 0..PIECES {
            self.stream.get_mut().write_all(&piece)?;
            thread::sleep(time / PIECES);
        }
        self.good_end()
    }

    /// Reads slowly, as over a bad line.
    fn download(&mut self, path: &str, headers: &str, time: Duration) -> io::Result<String> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        self.stream.get_mut().write_all(head.as_bytes())?;
        let (status, answer) = self.head()?;
        let length: Option<u64> = answer
            .value("content-length")
            .and_then(|value| value.parse().ok());
        if status != 200 {
            return Err(io::Error::other(format!("status {status}")));
        }
        const PIECES: u32 = 20;
        let mut left = length.ok_or_else(|| io::Error::other("no length"))?;
        let piece = left / u64::from(PIECES) + 1;
        while left > 0 {
            let mut now = piece.min(left);
            left -= now;
            self.skip(&mut now)?;
            thread::sleep(time / PIECES);
        }
        Ok(answer.value("x-th-slot").unwrap_or_default().to_owned())
    }

    fn good_end(&mut self) -> io::Result<String> {
        let (status, answer) = self.head()?;
        if !(200..300).contains(&status) {
            return Err(io::Error::other(format!("status {status}")));
        }
        if answer.value("transfer-encoding").is_some() {
            while self.chunk()? {}
        } else {
            let length = answer
                .value("content-length")
                .and_then(|value| value.parse().ok());
            self.skip(&mut length.unwrap_or(0))?;
        }
        Ok(answer.value("x-th-slot").unwrap_or_default().to_owned())
    }

    /// Reads frames until the time is over. A close from the server before that is a cut.
    fn websocket(
        &mut self,
        path: &str,
        headers: &str,
        time: Duration,
        stop: &AtomicBool,
    ) -> io::Result<String> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        let (status, answer) = self.head()?;
        if status != 101 {
            return Err(io::Error::other(format!("status {status}")));
        }
        let (start, mut byte) = (Instant::now(), [0; 512]);
        self.stream
            .get_ref()
            .set_read_timeout(Some(Duration::from_millis(100)))?;
        while start.elapsed() < time && !stop.load(Ordering::Relaxed) {
            match self.stream.read(&mut byte) {
                Ok(0) => return Err(io::Error::other("cut without a close frame")),
                Ok(_) if byte[0] == 0x88 => return Err(io::Error::other("closed by the server")),
                Ok(_) => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(answer.value("x-th-slot").unwrap_or_default().to_owned())
    }
}
