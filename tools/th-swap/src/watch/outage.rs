//! The time in which both slots are down, as after a restart of the engine: that is not the fault of
//! the release.

use std::time::{Duration, Instant};

/// How long both slots may be down until the old one is gone back to all the same.
const LIMIT: Duration = Duration::from_secs(30);

/// An outage of both slots, if there is one.
#[derive(Debug, Default)]
pub(super) struct Outage {
    since: Option<Instant>,
}

impl Outage {
    /// Tells whether it excuses the new slot, which is not well at `now`.
    pub(super) fn excuses(&mut self, old_is_well: bool, now: Instant) -> bool {
        !old_is_well && now.duration_since(*self.since.get_or_insert(now)) <= LIMIT
    }

    /// Ends it, if there is one and `both_are_well` again: the next one has its own time.
    pub(super) fn pass(&mut self, both_are_well: impl FnOnce() -> bool) {
        if self.since.is_some() && both_are_well() {
            self.since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_time() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut outage = Outage::default();
        assert!(!outage.excuses(true, start));
        assert!(outage.excuses(false, start) && outage.excuses(false, after(30)));
        outage.pass(|| false);
        assert!(!outage.excuses(false, after(31)));
        outage.pass(|| true);
        assert!(outage.excuses(false, after(40)) && !outage.excuses(false, after(71)));
        assert!(!outage.excuses(true, after(72)));
    }
}
