//! Which sets stay and which go, from what was observed. Nothing here touches anything.

use chrono::{DateTime, TimeDelta, Utc};
use th_record::Level;

use crate::bucket::Local;
use crate::floor::{self, Floor};
use crate::policy::Policy;
use crate::rule::{Kept, Seen};

/// How far ahead of ours another clock may be.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// A set that may stay or go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: String,
    pub(crate) started_at: DateTime<Utc>,
    /// Whether it holds all it should.
    pub(crate) complete: bool,
    pub(crate) level: Option<Level>,
    pub(crate) pinned: bool,
    /// `a=b`.
    pub(crate) tags: Vec<String>,
    /// Whether somebody reads it.
    pub(crate) in_use: bool,
}

/// What becomes of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) candidate: Candidate,
    /// Why, for people.
    pub(crate) reasons: Vec<String>,
    /// The rules that keep it.
    pub(crate) kept_by: Vec<&'static str>,
    /// What keeps it though no rule does.
    pub(crate) blocked_by: Vec<Floor>,
}

/// What becomes of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Newest first.
    pub(crate) decisions: Vec<Decision>,
    /// What keeps everything that would have gone.
    pub(crate) refused: Option<Refused>,
    /// Why nothing may go for good either, not even from the trash.
    pub(crate) stale: Option<Stale>,
}

/// Why nothing goes, though some would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Stale(Stale),
    TooMany { would: usize, may: usize },
}

/// The newest complete set is older than expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stale {
    /// Its age; `None` when there is no complete set at all.
    pub(crate) age: Option<TimeDelta>,
    pub(crate) expected: TimeDelta,
}

impl Plan {
    /// Returns what keeps even that which is in the trash already.
    pub(crate) fn frozen(&self) -> Option<Floor> {
        match self.refused {
            Some(Refused::TooMany { .. }) => Some(Floor::MaxDelete),
            _ => self.stale.map(|_| Floor::Stale),
        }
    }

    /// Returns the id of the newest complete set.
    pub(crate) fn newest_complete(&self) -> Option<String> {
        self.newest(|candidate| candidate.complete)
    }

    /// Returns the id of the newest complete set that was restored and compared.
    pub(crate) fn newest_proven(&self) -> Option<String> {
        self.newest(|candidate| candidate.complete && candidate.level >= Some(floor::PROVEN))
    }

    fn newest(&self, is: impl Fn(&Candidate) -> bool) -> Option<String> {
        let mut past = (self.decisions.iter())
            .filter(|decision| !decision.blocked_by.contains(&Floor::Future));
        let found = past.find(|decision| is(&decision.candidate))?;
        Some(found.candidate.id.clone())
    }
}

impl Decision {
    /// Tells whether the set stays.
    pub(crate) fn stays(&self) -> bool {
        !(self.kept_by.is_empty() && self.blocked_by.is_empty())
    }
}

/// Decides about `candidates`, in whatever order they come.
pub(crate) fn decide(mut candidates: Vec<Candidate>, policy: &Policy, now: DateTime<Utc>) -> Plan {
    candidates.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    let mut decisions: Vec<Decision> = candidates.into_iter().map(Decision::new).collect();
    let (mut good, mut poor) = (Vec::new(), Vec::new());
    for (number, decision) in decisions.iter_mut().enumerate() {
        let candidate = &decision.candidate;
        // Nothing from the future counts as the newest, or uses up a count.
        if candidate.started_at > now + SKEW {
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
    let would = decisions
        .iter()
        .filter(|decision| !decision.stays())
        .count();
    let may = policy.max_delete.of(decisions.len());
    let refused = match stale {
        _ if would == 0 => None,
        Some(stale) => Some(Refused::Stale(stale)),
        None if would > may => Some(Refused::TooMany { would, may }),
        None => None,
    };
    for decision in decisions.iter_mut().filter(|decision| !decision.stays()) {
        match refused {
            Some(Refused::Stale(_)) => decision.block(Floor::Stale),
            Some(Refused::TooMany { .. }) => decision.block(Floor::MaxDelete),
            None => decision.reasons.push("no rule keeps it".into()),
        }
    }
    Plan {
        decisions,
        refused,
        stale,
    }
}

impl Decision {
    fn new(candidate: Candidate) -> Self {
        Self {
            candidate,
            reasons: Vec::new(),
            kept_by: Vec::new(),
            blocked_by: Vec::new(),
        }
    }

    fn keep(&mut self, rule: &'static str, reason: String) {
        self.kept_by.push(rule);
        self.reasons.push(reason);
    }

    fn keep_tagged(&mut self, lists: &[Vec<String>]) {
        let tags = &self.candidate.tags;
        let has = |wanted: &String| {
            let named = |tag: &String| tag.split_once('=').is_some_and(|(name, _)| name == wanted);
            tags.iter().any(|tag| tag == wanted || named(tag))
        };
        let all = |list: &&Vec<String>| list.iter().all(has);
        if let Some(list) = lists.iter().find(all) {
            self.keep("keep_tag", format!("keep_tag {}", list.join(",")));
        }
    }

    /// Keeps the set though no rule does.
    pub(crate) fn block(&mut self, floor: Floor) {
        self.blocked_by.push(floor);
        self.reasons.push(floor.reason().to_owned());
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
