//! What a restore will do, from what was observed. Nothing here touches anything.

use th_record::kind::{RestorePlan, RestorePlanStep, Space};
use th_record::{Level, Manifest};
use th_state::restores::Swap;

/// What a restore acts on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Targets<'a> {
    pub(crate) database: Option<&'a Swap>,
    pub(crate) files: Option<&'a str>,
    pub(crate) config: Option<&'a str>,
}

/// Plans to put a set live.
pub(crate) fn apply(
    manifest: &Manifest,
    proof: Option<Level>,
    targets: Targets<'_>,
    sessions: u64,
    space: Vec<Space>,
) -> RestorePlan {
    let mut steps = vec![step("verify_bytes", manifest.id.as_str())];
    for root in targets.files.into_iter().chain(targets.config) {
        steps.push(step("write_files", root));
    }
    if let Some(swap) = targets.database {
        steps.push(step("create_database", &swap.next));
        steps.push(step("restore_database", &swap.next));
        steps.push(step("compare_database", &swap.next));
        if let Some(kept) = &swap.kept {
            steps.push(step("close_sessions", &swap.live));
            steps.push(step("rename_database", &format!("{} to {kept}", swap.live)));
        }
        steps.push(step(
            "rename_database",
            &format!("{} to {}", swap.next, swap.live),
        ));
    }
    for root in targets.files.into_iter().chain(targets.config) {
        steps.push(step("move_files", root));
    }
    RestorePlan {
        steps,
        sessions,
        space,
        ..of(manifest, proof)
    }
}

/// Plans to prove a set.
pub(crate) fn verify(manifest: &Manifest, wanted: Level) -> RestorePlan {
    let levels = Level::ALL.into_iter().filter(|level| *level <= wanted);
    let steps = levels.map(|level| step("prove", level.name())).collect();
    RestorePlan {
        steps,
        ..of(manifest, None)
    }
}

fn of(manifest: &Manifest, proof: Option<Level>) -> RestorePlan {
    RestorePlan {
        set: manifest.id.clone(),
        snapshot_at: manifest.started_at,
        proof,
        steps: Vec::new(),
        sessions: 0,
        space: Vec::new(),
    }
}

fn step(action: &str, object: &str) -> RestorePlanStep {
    RestorePlanStep {
        action: action.to_owned(),
        object: object.to_owned(),
    }
}
