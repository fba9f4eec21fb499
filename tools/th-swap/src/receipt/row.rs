//! Answers of one slot in a row: each is another user's, who has a lane of his own.

use std::time::{Duration, Instant};

use th_record::kind::Slot;

/// An app that answers slowly is not asked for longer than this.
const LONG: Duration = Duration::from_secs(2);

/// The row that goes on.
#[derive(Debug, Default)]
pub(super) struct Row(Option<Begun>);

#[derive(Debug)]
struct Begun {
    slot: Slot,
    since: Instant,
    answers: u64,
}

impl Row {
    /// Adds an answer of `slot` at `now`; after one of the other slot, a new row begins.
    pub(super) fn add(&mut self, slot: Slot, now: Instant) {
        match &mut self.0 {
            Some(row) if row.slot == slot => row.answers += 1,
            _ => {
                self.0 = Some(Begun {
                    slot,
                    since: now,
                    answers: 1,
                });
            }
        }
    }

    /// Tells whether at `now` it is one of `slot`, and as many as `wanted`, or as many as could be had.
    pub(super) fn is_of(&self, slot: Slot, wanted: u64, now: Instant) -> bool {
        self.0.as_ref().is_some_and(|row| {
            row.slot == slot && (row.answers >= wanted || now.duration_since(row.since) >= LONG)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_other_slot_ends_it() {
        let (now, mut row) = (Instant::now(), Row::default());
        let mut add = |slot, times| (0..times).for_each(|_| row.add(slot, now));
        add(Slot::Green, 39);
        add(Slot::Blue, 1);
        add(Slot::Green, 39);
        assert!(!row.is_of(Slot::Green, 40, now));
        row.add(Slot::Green, now);
        assert!(row.is_of(Slot::Green, 40, now) && !row.is_of(Slot::Blue, 1, now));
    }

    #[test]
    fn a_slow_app_is_not_asked_for_ever() {
        let (now, mut row) = (Instant::now(), Row::default());
        assert!(!row.is_of(Slot::Green, 0, now + LONG));
        row.add(Slot::Green, now);
        assert!(!row.is_of(Slot::Green, 40, now + LONG / 2));
        assert!(row.is_of(Slot::Green, 40, now + LONG));
    }
}
