//! Which sets stay and which go, from what was observed. Nothing here touches anything.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use th_record::Level;
use th_store::Source;

use crate::floor::Floor;
use crate::group;
use crate::limit::StaleAfter;
use crate::policy::Policy;

/// A set that may stay or go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: String,
    pub(crate) started_at: DateTime<Utc>,
    /// What the sets that can stand in for it are a backup of; `None` when it is of another
    /// environment, and left alone.
    pub(crate) group: Option<Source>,
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
    /// Why sets stay that would have gone.
    pub(crate) refused: Option<Refused>,
    /// What stays in the trash.
    pub(crate) freeze: Freeze,
}

/// Why sets stay that would have gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Those of a group.
    Stale(Source, Stale),
    /// All.
    TooMany { would: usize, may: usize, of: usize },
}

/// The newest complete set of a group is older than expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stale {
    /// Its age; `None` when there is no complete set at all.
    pub(crate) age: Option<TimeDelta>,
    pub(crate) expected: TimeDelta,
}

/// What may not go for good either, though it has been in the trash for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Freeze {
    Nothing,
    /// All of it, and no pack goes.
    All(Floor),
    /// The sets of other groups than these: their backups are broken.
    AllBut(BTreeSet<Source>),
}

impl Freeze {
    /// Returns what keeps a set of this group in the trash.
    pub(crate) fn of(&self, group: &Source) -> Option<Floor> {
        match self {
            Self::AllBut(fresh) => (!fresh.contains(group)).then_some(Floor::Stale),
            _ => self.all(),
        }
    }

    /// Returns what keeps everything.
    pub(crate) fn all(&self) -> Option<Floor> {
        match self {
            Self::All(floor) => Some(*floor),
            Self::Nothing | Self::AllBut(_) => None,
        }
    }
}

impl Plan {
    /// Returns the id of the newest complete set.
    pub(crate) fn newest_complete(&self) -> Option<String> {
        self.newest(|candidate| candidate.complete)
    }

    /// Returns the id of the newest complete set that was restored and compared.
    pub(crate) fn newest_proven(&self) -> Option<String> {
        self.newest(|candidate| candidate.complete && candidate.level >= Some(Level::PROVEN))
    }

    fn newest(&self, is: impl Fn(&Candidate) -> bool) -> Option<String> {
        let mut past = (self.decisions.iter())
            .filter(|decision| !decision.blocked_by.contains(&Floor::Future))
            .filter(|decision| decision.candidate.group.is_some());
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

/// Decides about `candidates`, in whatever order they come: about each group by itself, since a
/// backup of something else replaces none. Only how many may go at once is counted over all.
pub(crate) fn decide(mut candidates: Vec<Candidate>, policy: &Policy, now: DateTime<Utc>) -> Plan {
    candidates.sort_by(newest_first);
    let mut groups: BTreeMap<Source, Vec<Candidate>> = BTreeMap::new();
    let mut decisions = Vec::new();
    for candidate in candidates {
        match candidate.group.clone() {
            Some(group) => groups.entry(group).or_default().push(candidate),
            None => {
                let mut decision = Decision::new(candidate);
                decision.block(Floor::OtherEnvironment);
                decisions.push(decision);
            }
        }
    }
    let mut refused = None;
    let mut fresh = BTreeSet::new();
    let (mut would, mut of) = (0, 0);
    for (group, candidates) in groups {
        let (mut decided, stale) = group::decide(candidates, policy, now);
        let goes = decided.iter_mut().filter(|decision| !decision.stays());
        match stale {
            None => {
                would += goes.count();
                fresh.insert(group);
            }
            Some(stale) => {
                let mut count = 0;
                for decision in goes {
                    decision.block(Floor::Stale);
                    count += 1;
                }
                if count > 0 {
                    refused = refused.or(Some(Refused::Stale(group, stale)));
                }
            }
        }
        of += decided.len();
        decisions.append(&mut decided);
    }
    decisions.sort_by(|a, b| newest_first(&a.candidate, &b.candidate));
    let may = policy.max_delete.of(of);
    for decision in decisions.iter_mut().filter(|decision| !decision.stays()) {
        match would > may {
            true => decision.block(Floor::MaxDelete),
            false => decision.reasons.push("no rule keeps it".into()),
        }
    }
    let freeze = match policy.stale_after {
        _ if would > may => {
            refused = Some(Refused::TooMany { would, may, of });
            Freeze::All(Floor::MaxDelete)
        }
        StaleAfter::Never => Freeze::Nothing,
        _ if fresh.is_empty() => Freeze::All(Floor::Stale),
        _ => Freeze::AllBut(fresh),
    };
    Plan {
        decisions,
        refused,
        freeze,
    }
}

fn newest_first(a: &Candidate, b: &Candidate) -> Ordering {
    (b.started_at, &b.id).cmp(&(a.started_at, &a.id))
}

impl Decision {
    pub(crate) fn new(candidate: Candidate) -> Self {
        Self {
            candidate,
            reasons: Vec::new(),
            kept_by: Vec::new(),
            blocked_by: Vec::new(),
        }
    }

    /// Lets a rule keep the set.
    pub(crate) fn keep(&mut self, rule: &'static str, reason: String) {
        self.kept_by.push(rule);
        self.reasons.push(reason);
    }

    /// Keeps the set if it has all tags of one of the lists.
    pub(crate) fn keep_tagged(&mut self, lists: &[Vec<String>]) {
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
