//! The time in which both slots are down, as after a restart of the engine, or the web server before
//! them: that is not the fault of the release.

use std::time::{Duration, Instant};

/// How long that may last until an old one that answers at all is gone back to all the same.
const LIMIT: Duration = Duration::from_secs(30);

/// An outage, if there is one.
#[derive(Debug, Default)]
pub(super) struct Outage {
    since: Option<Instant>,
    told: bool,
}

impl Outage {
    /// Tells whether it excuses the new slot, which is not well at `now`.
    pub(super) fn excuses(
        &mut self,
        old_is_better: bool,
        old_answers: impl FnOnce() -> bool,
        now: Instant,
    ) -> bool {
        let since = *self.since.get_or_insert(now);
        !old_is_better && (now.duration_since(since) <= LIMIT || !old_answers())
    }

    /// Tells, once, that it goes on for longer than that.
    pub(super) fn is_long(&mut self, now: Instant) -> bool {
        let is_long = self
            .since
            .is_some_and(|since| now.duration_since(since) > LIMIT);
        is_long && !std::mem::replace(&mut self.told, true)
    }

    /// Ends it, if there is one and `all_is_well` again: the next one has its own time.
    pub(super) fn pass(&mut self, all_is_well: impl FnOnce() -> bool) {
        if self.since.is_some() && all_is_well() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn each_has_its_own_time() {
        let start = Instant::now();
        let mut outage = Outage::default();
        let excuses = |outage: &mut Outage, better: bool, seconds: u64| {
            outage.excuses(better, || true, after(start, seconds))
        };
        assert!(!excuses(&mut outage, true, 0));
        assert!(excuses(&mut outage, false, 0) && excuses(&mut outage, false, 30));
        outage.pass(|| false);
        assert!(!excuses(&mut outage, false, 31));
        outage.pass(|| true);
        assert!(excuses(&mut outage, false, 40) && !excuses(&mut outage, false, 71));
        assert!(!excuses(&mut outage, true, 72));
    }

    #[test]
    fn an_old_slot_that_does_not_answer_is_never_gone_back_to() {
        let start = Instant::now();
        let mut outage = Outage::default();
        assert!(outage.excuses(false, || false, start) && !outage.is_long(start));
        let late = after(start, 300);
        assert!(outage.excuses(false, || false, late));
        assert!(outage.is_long(late) && !outage.is_long(late), "told once");
        assert!(!outage.excuses(false, || true, late));
    }
}
