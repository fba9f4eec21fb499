//! Users of an app: each has a cookie, asks through nginx, and sees which slot answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

const PATIENCE: Duration = Duration::from_secs(10);

/// A kept-alive connection to a web server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

impl Connection {
    pub(crate) fn to(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Asks for `path` as `user`.
    pub(crate) fn get(&mut self, path: &str, user: u32) -> Result<Answer> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: th_client=user-{user}\r\n\r\n"
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no status")?.parse()?;
        let mut answer = Answer {
            status,
            headers: Vec::new(),
        };
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                bail!("the headers are cut off");
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            let pair = (name.to_ascii_lowercase(), value.trim().to_owned());
            answer.headers.push(pair);
        }
        let length = answer.header("content-length").context("no length")?;
        let mut body = vec![0; length.parse()?];
        self.stream.read_exact(&mut body)?;
        Ok(answer)
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// Returns the slot of each of `count` users.
pub(crate) fn slots(address: &str, count: u32) -> Result<Vec<String>> {
    let mut connection = Connection::to(address)?;
    (0..count)
        .map(|user| {
            let answer = connection.get("/", user)?;
            Ok(answer.header("x-th-slot").context("no slot")?.to_owned())
        })
        .collect()
}

/// Users who ask without end.
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<(u64, u64)>>,
}

impl Crowd {
    /// Starts `count` of them, each of whom is another user at each request.
    pub(crate) fn start(address: &str, count: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..count).map(|number| {
            let (address, stop) = (address.to_owned(), Arc::clone(&stop));
            thread::spawn(move || ask(&address, number * 1_000_000, &stop))
        });
        let threads = threads.collect();
        Self { stop, threads }
    }

    /// Ends them, and returns how many requests there were and how many failed.
    pub(crate) fn finish(self) -> Result<(u64, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = (0, 0);
        for thread in self.threads {
            let (requests, failed) = thread.join().map_err(|_| anyhow!("a user died"))?;
            sum = (sum.0 + requests, sum.1 + failed);
        }
        Ok(sum)
    }
}

fn ask(address: &str, mut user: u32, stop: &AtomicBool) -> (u64, u64) {
    let (mut requests, mut failed, mut kept) = (0, 0, None);
    while !stop.load(Ordering::Relaxed) {
        let mut connection = match kept.take().map_or_else(|| Connection::to(address), Ok) {
            Ok(connection) => connection,
            Err(_) => {
                failed += 1;
                continue;
            }
        };
        requests += 1;
        match connection.get("/", user) {
            Ok(answer) if answer.status < 500 => kept = Some(connection),
            Ok(_) => {
                failed += 1;
                kept = Some(connection);
            }
            Err(_) => failed += 1,
        }
        user += 1;
        thread::sleep(Duration::from_millis(8));
    }
    (requests, failed)
}
