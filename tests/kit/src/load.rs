//! Users: many kept-alive clients that GET and POST, and count what is not answered as it should be.

mod wire;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wire::Connection;
pub use wire::{Long, Stream, slots_of_users};

/// What the users do.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// Where the web server listens, `host:port`.
    pub address: String,
    /// How many users, each with a connection of his own.
    pub users: usize,
    /// What is asked for by GET, in turn.
    pub get: Vec<String>,
    /// What is posted to; bodies have 1 to 2000 bytes.
    pub post: String,
    /// What one request in a hundred asks for, which takes a while.
    pub slow: String,
    /// Headers of every request, each with its line end.
    pub headers: String,
    /// The longest time that a user thinks between two requests.
    pub think: Duration,
}

/// What was counted.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Requests that were sent.
    pub requests: u64,
    /// Those that were not answered with 2xx.
    pub failed: u64,
    /// How often each way to fail was met.
    pub failures: BTreeMap<String, u64>,
    /// The longest time between two good answers to one user.
    pub max_gap: Duration,
    /// The times of good answers, in steps of a millisecond.
    pub latency: BTreeMap<u64, u64>,
}

/// Users at work.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Counted>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    requests: AtomicU64,
    failed: AtomicU64,
    /// When each slot answered first since the last mark.
    first: Mutex<BTreeMap<String, Instant>>,
}

impl Traffic {
    /// The usual mixture against the witness.
    pub fn of_witness(address: String) -> Self {
        Self {
            address,
            users: 24,
            get: vec!["/".to_owned(), "/health".to_owned()],
            post: "/health/echo".to_owned(),
            slow: "/slow".to_owned(),
            headers: String::new(),
            think: Duration::from_millis(40),
        }
    }

    /// Starts the users.
    pub fn start(&self) -> Load {
        let shared = Arc::new(Shared::default());
        let spawn = |user| {
            let (shared, traffic) = (Arc::clone(&shared), self.clone());
            thread::spawn(move || traffic.use_as(user, &shared))
        };
        let threads = (0..self.users).map(spawn).collect();
        Load { shared, threads }
    }

    fn use_as(&self, user: usize, shared: &Shared) -> Counted {
        let mut counted = Counted::default();
        let mut connection: Option<Connection> = None;
        let mut last_good: Option<Instant> = None;
        let mut dice = Dice::new(user as u64 + 1);
        let headers = format!("Cookie: th_client=user-{user}\r\n{}", self.headers);
        while !shared.stop.load(Ordering::Relaxed) {
            let roll = dice.below(200);
            let (path, body) = match roll {
                0 | 2 => (self.slow.as_str(), None),
                roll if roll % 2 == 1 => (self.post.as_str(), Some(dice.below(2000) + 1)),
                roll => (
                    self.get[(roll / 2) as usize % self.get.len()].as_str(),
                    None,
                ),
            };
            let began = Instant::now();
            let result = ask(&mut connection, &self.address, path, &headers, body);
            counted.requests += 1;
            shared.requests.fetch_add(1, Ordering::Relaxed);
            let now = Instant::now();
            match result {
                Ok((status, slot)) if (200..300).contains(&status) => {
                    let took = now.duration_since(began).as_millis() as u64;
                    *counted.latency.entry(took).or_default() += 1;
                    if let Some(last) = last_good.replace(now) {
                        counted.max_gap = counted.max_gap.max(now.duration_since(last));
                    }
                    shared.first().entry(slot).or_insert(now);
                }
                Ok((status, _)) => counted.fail(shared, format!("status {status}")),
                Err(error) => {
                    connection = None;
                    counted.fail(shared, error.kind().to_string());
                }
            }
            let think = self.think.as_millis() as u64;
            thread::sleep(Duration::from_millis(dice.below(think + 1)));
        }
        counted
    }
}

/// Sends one request over the kept connection, or over a new one if the server has ended it.
fn ask(
    connection: &mut Option<Connection>,
    address: &str,
    path: &str,
    headers: &str,
    body: Option<u64>,
) -> io::Result<(u16, String)> {
    let mut open = match connection.take() {
        Some(open) if !open.is_closed() => open,
        _ => Connection::open(address)?,
    };
    let body = body.map(|size| vec![b'x'; size as usize]);
    let (status, slot, keep) = open.ask(path, headers, body.as_deref())?;
    if keep {
        *connection = Some(open);
    }
    Ok((status, slot))
}

impl Load {
    /// Returns how many requests were sent so far, and how many failed.
    pub fn so_far(&self) -> (u64, u64) {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        (count(&self.shared.requests), count(&self.shared.failed))
    }

    /// Forgets which slots have answered.
    pub fn mark(&self) {
        self.shared.first().clear();
    }

    /// Returns when `slot` answered first since the last mark.
    pub fn first(&self, slot: &str) -> Option<Instant> {
        self.shared.first().get(slot).copied()
    }

    /// Stops the users, and returns what they met.
    pub fn finish(mut self) -> Counted {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut sum = Counted::default();
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(counted) => sum.merge(counted),
                Err(_) => sum.failed += 1,
            }
        }
        sum
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn first(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn fail(&mut self, shared: &Shared, how: String) {
        self.failed += 1;
        shared.failed.fetch_add(1, Ordering::Relaxed);
        *self.failures.entry(how).or_default() += 1;
    }

    /// Adds what another user met.
    pub fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.max_gap = self.max_gap.max(other.max_gap);
        for (how, count) in other.failures {
            *self.failures.entry(how).or_default() += count;
        }
        for (took, count) in other.latency {
            *self.latency.entry(took).or_default() += count;
        }
    }

    /// Returns the time, in milliseconds, that a share of the good answers stayed below.
    pub fn percentile(&self, share: f64) -> u64 {
        let all: u64 = self.latency.values().sum();
        let mut left = (all as f64 * share) as u64;
        for (took, count) in &self.latency {
            if *count > left {
                return *took;
            }
            left -= count;
        }
        0
    }
}

/// xorshift: the same users do the same in every run.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }
}
