//! The receipt: the tool's own clients, across the switch.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use th_record::kind::{Receipt, Slot};

use crate::front::Front;
use crate::http::{Answer, Client};

/// The time between two requests of one client while the traffic is moved…
const QUICK: Duration = Duration::from_millis(20);

/// …and while the old slot drains.
const SLOW: Duration = Duration::from_millis(250);

/// How many failures are told.
const TOLD: usize = 5;

/// Clients that ask through the web server until they are stopped.
#[derive(Debug)]
pub(crate) struct Clients {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    slow: AtomicBool,
    tally: Mutex<Tally>,
}

/// What was counted so far.
#[derive(Debug, Default)]
struct Tally {
    receipt: Receipt,
    /// Of each client: when it had a good answer last, and the last slot that it saw.
    clients: Vec<(Option<Instant>, Option<Slot>)>,
    /// When each slot answered first after the switch began.
    switched: Option<(Slot, Instant)>,
    first_new: Option<Instant>,
}

impl Clients {
    /// Starts a client for each way to ask: GET and POST, over a kept and over fresh connections.
    pub(crate) fn start(front: &Front) -> Self {
        let ways = [(true, false), (false, false), (true, true), (false, true)];
        let ways: Vec<_> = ways
            .into_iter()
            .filter(|(_, post)| !post || front.posts())
            .collect();
        let shared = Arc::new(Shared::default());
        shared.tally().clients = vec![(None, None); ways.len()];
        let spawn = |(index, (kept, post)): (usize, (bool, bool))| {
            let (shared, front) = (Arc::clone(&shared), front.clone());
            thread::spawn(move || ask(&shared, &front, index, kept, post))
        };
        let threads = ways.into_iter().enumerate().map(spawn).collect();
        Self { shared, threads }
    }

    /// Notes that the switch to `slot` begins now.
    pub(crate) fn switch_to(&self, slot: Slot) {
        self.shared.tally().switched = Some((slot, Instant::now()));
    }

    /// Lets them ask less often.
    pub(crate) fn slow_down(&self) {
        self.shared.slow.store(true, Ordering::Relaxed);
    }

    /// Tells whether each client's last good answer came from `slot`; `None` when answers do not
    /// tell their slot.
    pub(crate) fn all_see(&self, slot: Slot) -> Option<bool> {
        let tally = self.shared.tally();
        let answered = tally.clients.iter().all(|(at, _)| at.is_some());
        if answered && tally.clients.iter().all(|(_, seen)| seen.is_none()) {
            return None;
        }
        Some(tally.clients.iter().all(|(_, seen)| *seen == Some(slot)))
    }

    /// Returns what was counted so far.
    pub(crate) fn receipt(&self) -> Receipt {
        let tally = self.shared.tally();
        let first_new_ms = tally.switched.and_then(|(_, began)| {
            let first = tally.first_new?.saturating_duration_since(began);
            Some(first.as_millis() as u64)
        });
        Receipt {
            first_new_ms,
            // Until a slot is stopped.
            cut: Some(0),
            ..tally.receipt.clone()
        }
    }

    /// Stops them, and returns what was counted.
    pub(crate) fn finish(mut self) -> Receipt {
        self.stop();
        self.receipt()
    }

    fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A client does not panic; if it did, what it counted is still there.
            let _ = thread.join();
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn count(&mut self, index: usize, what: &str, result: io::Result<Answer>) {
        let now = Instant::now();
        self.receipt.requests += 1;
        let failure = match result {
            Ok(answer) if answer.is_good() => {
                let (last, seen) = &mut self.clients[index];
                if let Some(last) = last.replace(now) {
                    let gap = now.duration_since(last).as_millis() as u64;
                    self.receipt.max_gap_ms = self.receipt.max_gap_ms.max(gap);
                }
                *seen = answer.slot;
                if let Some((slot, _)) = self.switched
                    && answer.slot == Some(slot)
                {
                    self.first_new.get_or_insert(now);
                }
                return;
            }
            Ok(answer) => format!("{what}: status {}", answer.status),
            Err(error) => format!("{what}: {error}"),
        };
        self.receipt.failed += 1;
        if self.receipt.failures.len() < TOLD {
            self.receipt.failures.push(failure);
        }
    }
}

/// One client, until it is told to stop. Each request is another user's, so all lanes are tried.
fn ask(shared: &Shared, front: &Front, index: usize, kept: bool, post: bool) {
    let mut client: Client = if kept {
        front.kept_alive()
    } else {
        front.fresh()
    };
    let method = if post { "POST" } else { "GET" };
    let what = format!(
        "{method} over a {} connection",
        if kept { "kept" } else { "fresh" }
    );
    let mut user = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let result = front.ask(&mut client, user, post);
        shared.tally().count(index, &what, result);
        user += 1;
        let slow = shared.slow.load(Ordering::Relaxed);
        let interval = if slow { SLOW } else { QUICK };
        thread::sleep(interval.saturating_sub(began.elapsed()));
    }
}
