//! Decisions as they are told.

use chrono::{DateTime, Utc};
use th_record::kind::{PackAction, PrunePack, PruneSet, SetAction};
use th_record::{Status, VERSION};
use th_store::Trashed;

use crate::floor::Floor;
use crate::plan::Decision;

/// Tells what becomes of a set.
pub(crate) fn set(decision: &Decision) -> PruneSet {
    let candidate = &decision.candidate;
    let status = match candidate.complete {
        true => Status::Complete,
        false => Status::Degraded,
    };
    PruneSet {
        started_at: Some(candidate.started_at),
        status: Some(status),
        proof: candidate.level,
        action: match decision.stays() {
            true => SetAction::Keep,
            false => SetAction::Delete,
        },
        reasons: decision.reasons.clone(),
        kept_by: decision
            .kept_by
            .iter()
            .map(|rule| (*rule).to_owned())
            .collect(),
        blocked_by: decision
            .blocked_by
            .iter()
            .map(|floor| floor.name().to_owned())
            .collect(),
        ..named(&candidate.id)
    }
}

/// Tells of what is among the sets and cannot be read.
pub(crate) fn unreadable(name: &str, started_at: Option<DateTime<Utc>>, reason: &str) -> PruneSet {
    PruneSet {
        started_at,
        reasons: vec![reason.to_owned()],
        blocked_by: vec![Floor::Unreadable.name().to_owned()],
        ..named(name)
    }
}

/// Tells of a set in the trash.
pub(crate) fn trashed(trashed: &Trashed) -> PruneSet {
    PruneSet {
        started_at: Some(trashed.id.at()),
        deleted_at: Some(trashed.deleted_at),
        ..named(trashed.id.as_str())
    }
}

fn named(set: &str) -> PruneSet {
    PruneSet {
        v: VERSION,
        kind: "prune_set".to_owned(),
        set: set.to_owned(),
        started_at: None,
        status: None,
        proof: None,
        deleted_at: None,
        action: SetAction::Keep,
        reasons: Vec::new(),
        kept_by: Vec::new(),
        blocked_by: Vec::new(),
        error: None,
    }
}

/// Tells of a pack.
pub(crate) fn pack(name: &str, bytes: u64) -> PrunePack {
    PrunePack {
        v: VERSION,
        kind: "prune_pack".to_owned(),
        pack: name.to_owned(),
        bytes,
        needed_bytes: 0,
        unused_since_at: None,
        action: PackAction::Keep,
        reasons: Vec::new(),
        blocked_by: Vec::new(),
        error: None,
    }
}
