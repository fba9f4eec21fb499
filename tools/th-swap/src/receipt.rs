//! The receipt: the tool's own clients, across the switch.

mod row;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use th_record::kind::{Receipt, Slot};

use crate::front::{Front, Way};
use crate::http::{Answer, Client};
use crate::receipt::row::Row;

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
    /// The users who were answered by one slot, one after the other.
    row: Row,
    /// When each slot answered first after the switch began.
    switched: Option<(Slot, Instant)>,
    first_new: Option<Instant>,
    /// When all were led to that slot, and how long after the switch another one still answered.
    settled: Option<Instant>,
    astray: Option<Duration>,
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

    fn count(
        &mut self,
        index: usize,
        way: &Way,
        kept: bool,
        began: Instant,
        result: io::Result<Answer>,
    ) {
        let now = Instant::now();
        self.receipt.requests += 1;
        let failure = match result {
            Ok(answer) if answer.is_good() => {
                if let Some(last) = self.last.insert(index, now) {
                    let gap = now.duration_since(last).as_millis() as u64;
                    self.receipt.max_gap_ms = self.receipt.max_gap_ms.max(gap);
                }
                self.seen.insert((index, way.clone()), answer.slot);
                if let Some(slot) = answer.slot {
                    self.see(slot, began, now);
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

    /// Notes that `slot` answered at `now` what was asked at `began`.
    fn see(&mut self, slot: Slot, began: Instant, now: Instant) {
        self.row.add(slot, now);
        match self.switched {
            Some((new, _)) if slot == new => {
                self.first_new.get_or_insert(now);
            }
            Some((_, switched)) if self.settled.is_some_and(|settled| began >= settled) => {
                self.astray.get_or_insert(now.duration_since(switched));
            }
            _ => {}
        }
    }

    /// Notes that the client `index` paused for longer than the others do: that is no gap.
    fn pause(&mut self, index: usize, pause: Duration) {
        if let Some(last) = self.last.get_mut(&index) {
            *last += pause.saturating_sub(QUICK);
        }
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
        shared.tally().pause(index, pause);
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

    #[test]
    fn another_slot_is_astray_once_all_were_led_to_the_new_one() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut tally = Tally {
            switched: Some((Slot::Green, start)),
            ..Tally::default()
        };
        tally.see(Slot::Blue, start, after(1));
        tally.settled = Some(after(2));
        // Asked before.
        tally.see(Slot::Blue, after(1), after(3));
        tally.see(Slot::Green, after(3), after(4));
        assert_eq!(tally.astray, None);
        tally.see(Slot::Blue, after(4), after(5));
        tally.see(Slot::Blue, after(6), after(7));
        assert_eq!(tally.astray, Some(Duration::from_secs(5)));
    }

    #[test]
    fn its_own_long_pause_is_no_gap() {
        let (start, mut tally) = (Instant::now(), Tally::default());
        tally.last.insert(0, start);
        tally.pause(0, QUICK / 2);
        assert_eq!(tally.last[&0], start);
        tally.pause(0, SLOW);
        assert_eq!(tally.last[&0], start + SLOW - QUICK);
    }
}
