//! What the clients have met so far.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use th_record::kind::{Receipt, Slot};

use crate::front::Way;
use crate::http::Answer;
use crate::receipt::row::Row;

/// How many failures are told.
const TOLD: usize = 5;

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) receipt: Receipt,
    /// When each client had a good answer last.
    last: BTreeMap<usize, Instant>,
    /// The slot that the last good answer named: for each client, and each way that it asks.
    seen: BTreeMap<(usize, Way), Option<Slot>>,
    /// How many of these there will be.
    pub(super) wanted: usize,
    /// The users who were answered by one slot, one after the other.
    pub(super) row: Row,
    /// When each slot answered first after the switch began.
    pub(super) switched: Option<(Slot, Instant)>,
    pub(super) first_new: Option<Instant>,
    /// When all were led to that slot, and how long after the switch another one still answered.
    pub(super) settled: Option<Instant>,
    pub(super) astray: Option<Duration>,
}

impl Tally {
    /// Tells whether each client's last good answers came from `slot`; `None` when answers do not
    /// tell their slot.
    pub(super) fn all_see(&self, slot: Slot) -> Option<bool> {
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

    /// Counts how `way`, asked at `began`, went for the client `index`.
    pub(super) fn count(
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

    /// Notes that the client `index` paused: that is no gap.
    pub(super) fn pause(&mut self, index: usize, pause: Duration) {
        if let Some(last) = self.last.get_mut(&index) {
            *last += pause;
        }
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
    fn its_own_pause_is_no_gap() {
        let (start, mut tally) = (Instant::now(), Tally::default());
        tally.last.insert(0, start);
        tally.pause(0, Duration::from_millis(230));
        assert_eq!(tally.last[&0], start + Duration::from_millis(230));
    }
}
