//! Floors: what no policy can delete.

use chrono::{DateTime, TimeDelta, Utc};
use th_record::Level;

use crate::limit::StaleAfter;
use crate::plan::{Decision, Stale};
use crate::policy::Policy;
use crate::rule::Seen;

/// How many gaps between sets tell how often there is one.
const GAPS: usize = 10;

/// What is expected when there are too few sets to tell.
const UNKNOWN: TimeDelta = TimeDelta::days(3);

/// What keeps a set though no rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Floor {
    Newest,
    NewestComplete,
    NewestProven,
    Pinned,
    MinAge,
    MinKeep,
    InUse,
    Future,
    OtherEnvironment,
    Stale,
    MaxDelete,
    /// Of what cannot be read, or of packs that such a set may need.
    Unreadable,
    /// Of what is in the trash, or not needed, for too short a time.
    Grace,
}

impl Floor {
    /// Returns its name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::NewestComplete => "newest_complete",
            Self::NewestProven => "newest_proven",
            Self::Pinned => "pinned",
            Self::MinAge => "min_age",
            Self::MinKeep => "min_keep",
            Self::InUse => "in_use",
            Self::Future => "future",
            Self::OtherEnvironment => "other_environment",
            Self::Stale => "stale",
            Self::MaxDelete => "max_delete",
            Self::Unreadable => "unreadable",
            Self::Grace => "grace",
        }
    }

    /// Tells a person.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Newest => "it is the newest of its group",
            Self::NewestComplete => "it is the newest of its group that is complete",
            Self::NewestProven => "it is the newest of its group that was restored and compared",
            Self::Pinned => "it is pinned",
            Self::MinAge => "it is too young",
            Self::MinKeep => "there would be too few of its group",
            Self::InUse => "it is being read",
            Self::Future => "its time has not come: a clock is or was wrong",
            Self::OtherEnvironment => "it is of another environment",
            Self::Stale => "the newest complete set is too old: are the backups broken?",
            Self::MaxDelete => "too many would go at once",
            Self::Unreadable => "a set cannot be read",
            Self::Grace => "it goes when it has waited long enough",
        }
    }
}

/// Blocks what no rule keeps and still must not go. All are newest first.
pub(crate) fn apply(
    decisions: &mut [Decision],
    good: &[Seen],
    poor: &[Seen],
    policy: &Policy,
    now: DateTime<Utc>,
) {
    let newest = good.first().into_iter().chain(poor.first());
    let newest = newest.max_by_key(|seen| seen.at).map(|seen| seen.number);
    let complete = good.first().map(|seen| seen.number);
    let proven = good.iter().find(|seen| seen.level >= Some(Level::PROVEN));
    let proven = proven.map(|seen| seen.number);
    for seen in good.iter().chain(poor) {
        let decision = &mut decisions[seen.number];
        if !decision.kept_by.is_empty() {
            continue;
        }
        let number = Some(seen.number);
        let holds = [
            (Floor::Newest, number == newest),
            (Floor::NewestComplete, number == complete),
            (Floor::NewestProven, number == proven),
            (Floor::Pinned, decision.candidate.pinned),
            (Floor::MinAge, now - seen.at < policy.min_age),
            (Floor::InUse, decision.candidate.in_use),
        ];
        for (floor, _) in holds.into_iter().filter(|(_, holds)| *holds) {
            decision.block(floor);
        }
    }
    // Sets that are only being read go when they no longer are: they do not count.
    let lasts = |decision: &Decision| decision.stays() && decision.blocked_by != [Floor::InUse];
    let stay = (good.iter()).filter(|seen| lasts(&decisions[seen.number]));
    let mut missing = policy.min_keep.saturating_sub(stay.count());
    for seen in good {
        if missing > 0 && !lasts(&decisions[seen.number]) {
            decisions[seen.number].block(Floor::MinKeep);
            missing -= 1;
        }
    }
}

/// Tells whether the newest complete set is older than expected.
pub(crate) fn stale(good: &[Seen], policy: &Policy, now: DateTime<Utc>) -> Option<Stale> {
    let expected = match policy.stale_after {
        StaleAfter::Never => return None,
        StaleAfter::Fixed(expected) => expected,
        StaleAfter::Derived => usual(good),
    };
    let age = good.first().map(|newest| now - newest.at);
    match age {
        Some(age) if age <= expected => None,
        age => Some(Stale { age, expected }),
    }
}

/// Returns three times the median of the last gaps between sets, and a day at the least.
fn usual(good: &[Seen]) -> TimeDelta {
    let mut gaps: Vec<TimeDelta> = (good.windows(2).take(GAPS))
        .map(|pair| pair[0].at - pair[1].at)
        .collect();
    gaps.sort_unstable();
    match gaps.get(gaps.len() / 2) {
        Some(median) if gaps.len() > 1 => (*median * 3).max(TimeDelta::days(1)),
        _ => UNKNOWN,
    }
}
