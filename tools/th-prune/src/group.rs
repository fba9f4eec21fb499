//! One group: sets that can stand in for each other, decided about by themselves.

use chrono::{DateTime, Utc};
use th_store::is_ahead;

use crate::bucket::Local;
use crate::floor::{self, Floor};
use crate::plan::{Candidate, Decision, Stale};
use crate::policy::Policy;
use crate::rule::{Kept, Seen};

/// Decides about the sets of one group, which are newest first. Tells whether its newest complete
/// set is older than expected.
pub(crate) fn decide(
    candidates: Vec<Candidate>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> (Vec<Decision>, Option<Stale>) {
    let mut decisions: Vec<Decision> = candidates.into_iter().map(Decision::new).collect();
    let (mut good, mut poor) = (Vec::new(), Vec::new());
    for (number, decision) in decisions.iter_mut().enumerate() {
        let candidate = &decision.candidate;
        // Nothing from the future counts as the newest, or uses up a count.
        if is_ahead(candidate.started_at, now) {
            decision.block(Floor::Future);
            continue;
        }
        let seen = Seen {
            number,
            at: candidate.started_at,
            local: Local::new(candidate.started_at, policy.zone),
            level: candidate.level,
        };
        if candidate.complete {
            good.push(seen);
        } else {
            poor.push(seen);
        }
    }
    for rule in &policy.rules {
        for Kept {
            bucket,
            best,
            oldest,
        } in rule.keeps(&good, &poor, policy.zone)
        {
            let rest = if oldest { ", the oldest" } else { "" };
            decisions[best.number].keep(rule.name, format!("{} {bucket}{rest}", rule.name));
        }
    }
    for seen in good.iter().chain(&poor) {
        decisions[seen.number].keep_tagged(&policy.tags);
    }
    floor::apply(&mut decisions, &good, &poor, policy, now);
    let stale = floor::stale(&good, policy, now);
    (decisions, stale)
}
