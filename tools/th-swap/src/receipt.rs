//! The receipt: the tool's own clients, across the switch.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use th_record::kind::{Receipt, Slot};

use crate::front::{Front, Way};
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
    /// When each client had a good answer last.
    last: BTreeMap<usize, Instant>,
    /// The slot that the last good answer named: for each client, and each way that it asks.
    seen: BTreeMap<(usize, Way), Option<Slot>>,
    /// How many of these there will be.
    wanted: usize,
    /// When each slot answered first after the switch began.
    switched: Option<(Slot, Instant)>,
    first_new: Option<Instant>,
}

impl Clients {
    /// Starts a client for each way to ask: GET and POST, over a kept and over fresh connections.
    pub(crate) fn start(front: &Front) -> Self {
        let ways = [(true, false), (false, false), (true, true), (false, true)];
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
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
            let client = move || ask(&shared, &front, index, kept, &ways);
            threads.push(thread::spawn(client));
        }
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

    /// Tells whether each client's last good answers came from `slot`; `None` when answers do not
    /// tell their slot.
    pub(crate) fn all_see(&self, slot: Slot) -> Option<bool> {
        self.shared.tally().all_see(slot)
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
    fn all_see(&self, slot: Slot) -> Option<bool> {
        let answered = self.seen.len() == self.wanted;
        let tells = |way: &Way| {
            let mut of_way = self.seen.iter().filter(|((_, asked), _)| asked == way);
            of_way.any(|(_, seen)| seen.is_some())
        };
        if answered && self.seen.values().all(Option::is_none) {
            return None;
        }
        // One service may name its slot, and another one not.
        let mut seen = self.seen.iter();
        Some(answered && seen.all(|((_, way), seen)| *seen == Some(slot) || !tells(way)))
    }

    fn count(&mut self, index: usize, way: &Way, kept: bool, result: io::Result<Answer>) {
        let now = Instant::now();
        self.receipt.requests += 1;
        let failure = match result {
            Ok(answer) if answer.is_good() => {
                if let Some(last) = self.last.insert(index, now) {
                    let gap = now.duration_since(last).as_millis() as u64;
                    self.receipt.max_gap_ms = self.receipt.max_gap_ms.max(gap);
                }
                self.seen.insert((index, way.clone()), answer.slot);
                if let Some((slot, _)) = self.switched
                    && answer.slot == Some(slot)
                {
                    self.first_new.get_or_insert(now);
                }
                return;
            }
            Ok(answer) => format!("status {}", answer.status),
            Err(error) => error.to_string(),
        };
        let connection = if kept { "kept" } else { "fresh" };
        let failure = format!("{way} over a {connection} connection: {failure}");
        self.receipt.failed += 1;
        if self.receipt.failures.len() < TOLD {
            self.receipt.failures.push(failure);
        }
    }
}

/// One client, until it is told to stop: it asks `ways` in turn. Each request is another user's, so all
/// lanes are tried.
fn ask(shared: &Shared, front: &Front, index: usize, kept: bool, ways: &[Way]) {
    let mut client: Client = if kept {
        front.kept_alive()
    } else {
        front.fresh()
    };
    for (user, way) in (0..).zip(ways.iter().cycle()) {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let began = Instant::now();
        let result = front.ask(&mut client, user, way);
        shared.tally().count(index, way, kept, result);
        let slow = shared.slow.load(Ordering::Relaxed);
        let interval = if slow { SLOW } else { QUICK };
        thread::sleep(interval.saturating_sub(began.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(seen: &[(usize, &str, Option<Slot>)], wanted: usize) -> Tally {
        let seen = seen.iter().map(|(client, path, slot)| {
            let way = Way::get(path);
            ((*client, way), *slot)
        });
        Tally {
            seen: seen.collect(),
            wanted,
            ..Tally::default()
        }
    }

    #[test]
    fn all_see_a_slot_when_all_that_is_asked_is_answered_by_it() {
        let (new, old) = (Some(Slot::Green), Some(Slot::Blue));
        let all_see = |seen: &[_], wanted| tally(seen, wanted).all_see(Slot::Green);
        assert_eq!(all_see(&[(0, "/a", new), (0, "/b", new)], 2), Some(true));
        assert_eq!(all_see(&[(0, "/a", new), (0, "/b", old)], 2), Some(false));
        assert_eq!(all_see(&[(0, "/a", new), (1, "/a", None)], 2), Some(false));
        assert_eq!(all_see(&[(0, "/a", new)], 2), Some(false));
    }

    #[test]
    fn what_names_no_slot_says_nothing() {
        let new = Some(Slot::Green);
        let all_see = |seen: &[_], wanted| tally(seen, wanted).all_see(Slot::Green);
        assert_eq!(all_see(&[(0, "/a", new), (0, "/b", None)], 2), Some(true));
        assert_eq!(all_see(&[(0, "/a", None), (0, "/b", None)], 2), None);
        assert_eq!(all_see(&[(0, "/a", None)], 2), Some(false));
    }
}
