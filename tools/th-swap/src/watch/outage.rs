//! The time in which both slots are down, as after a restart of the engine, or the web server before
//! them: that is not the fault of the release.

use std::time::{Duration, Instant};

/// How long that may last until the old one is gone back to all the same.
const LIMIT: Duration = Duration::from_secs(30);

/// An outage, if there is one.
#[derive(Debug, Default)]
pub(super) struct Outage {
    since: Option<Instant>,
}

impl Outage {
    /// Tells whether it excuses the new slot, which is not well at `now`.
    pub(super) fn excuses(&mut self, old_is_better: bool, now: Instant) -> bool {
        !old_is_better && now.duration_since(*self.since.get_or_insert(now)) <= LIMIT
    }

    /// Ends it, if there is one and `all_is_well` again: the next one has its own time.
    pub(super) fn pass(&mut self, all_is_well: impl FnOnce() -> bool) {
        if self.since.is_some() && all_is_well() {
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
