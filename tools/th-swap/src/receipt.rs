//! The receipt: the tool's own clients, across the switch.

mod row;
mod tally;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use th_record::kind::{Receipt, Slot};

use crate::front::{Front, Way};
use crate::http::Client;
use crate::receipt::tally::Tally;

/// The time between two requests of one client while the traffic is moved…
const QUICK: Duration = Duration::from_millis(20);

/// …and while the old slot drains.
const SLOW: Duration = Duration::from_millis(250);

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

impl Clients {
    /// Starts a client for each way to ask: GET and POST, over a kept and over fresh connections.
    pub(crate) fn start(front: &Front) -> Self {
        let ways = [(true, false), (false, false), (true, true), (false, true)];
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        let count = ways.len();
        for (index, (kept, post)) in ways.into_iter().enumerate() {
            let ways: Vec<Way> = match post {
                true => front.post().into_iter().cloned().collect(),
                false => front.gets().to_vec(),
            };
            if ways.is_empty() {
                continue;
            }
            shared.tally().wanted += ways.len();
            let (shared, front) = (Arc::clone(&shared), front.clone());
            let users = (index as u64..).step_by(count);
            let client = move || ask(&shared, &front, index, kept, users.zip(ways.iter().cycle()));
            threads.push(thread::spawn(client));
        }
        Self { shared, threads }
    }

    /// Notes that the switch to `slot` begins now.
    pub(crate) fn switch_to(&self, slot: Slot) {
        self.shared.tally().switched = Some((slot, Instant::now()));
    }

    /// Lets them ask less often, now that the slot of the switch serves all: another one that answers
    /// from here on is remembered.
    pub(crate) fn settle(&self) {
        self.shared.tally().settled = Some(Instant::now());
        self.shared.slow.store(true, Ordering::Relaxed);
    }

    /// Returns how long after the switch another slot answered once more, when all were led to the new
    /// one already.
    pub(crate) fn astray(&self) -> Option<Duration> {
        self.shared.tally().astray
    }

    /// Tells whether each client's last good answers came from `slot`; `None` when answers do not
    /// tell their slot.
    pub(crate) fn all_see(&self, slot: Slot) -> Option<bool> {
        self.shared.tally().all_see(slot)
    }

    /// As [`Clients::all_see`], and tells whether no other slot has answered `users` of them in a row:
    /// who has a lane of his own may be led elsewhere than the last one.
    pub(crate) fn all_see_in_a_row(&self, slot: Slot, users: u64) -> Option<bool> {
        let tally = self.shared.tally();
        let all_see = tally.all_see(slot)?;
        Some(all_see && tally.row.is_of(slot, users, Instant::now()))
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

/// One client, until it is told to stop: it asks `turns`. Each request is another user's, so all lanes
/// are tried.
fn ask<'a>(
    shared: &Shared,
    front: &Front,
    index: usize,
    kept: bool,
    turns: impl Iterator<Item = (u64, &'a Way)>,
) {
    let mut client: Client = if kept {
        front.kept_alive()
    } else {
        front.fresh()
    };
    for (user, way) in turns {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let began = Instant::now();
        let result = front.ask(&mut client, user, way);
        shared.tally().count(index, way, kept, began, result);
        let slow = shared.slow.load(Ordering::Relaxed);
        let interval = if slow { SLOW } else { QUICK };
        let pause = interval.saturating_sub(began.elapsed());
        thread::sleep(pause);
        // That of the others is part of how often they ask.
        shared.tally().pause(index, pause.saturating_sub(QUICK));
    }
}
