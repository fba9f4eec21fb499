//! A canary that was paused, and goes on in another run.

use th_cli::{Outcome, Run};

use crate::args::ReleaseArgs;
use crate::canary::share::Share;
use crate::context::Context;
use crate::pending::Pending;
use crate::plan::{self, Wanted};
use crate::{Error, release, summary};

/// Says what would be done with a canary that was paused.
pub(super) fn plan(
    context: &Context,
    pending: &Pending,
    steps: &[Share],
) -> Result<Outcome, Error> {
    let from = context.lanes.read()?.count(pending.slot);
    let left = steps.iter().filter(|step| step.lanes >= from);
    let shares: Vec<String> = left.map(ToString::to_string).collect();
    let plan = plan::going_on(Wanted {
        tag: &pending.tag,
        slot: pending.slot,
        previous_tag: pending.previous_tag.as_deref(),
        previous_slot: pending.previous_slot,
        exclusive: &pending.exclusive,
        shares: &shares,
        hold_seconds: pending.hold_seconds,
    });
    Ok(Outcome::plan("swap_plan", &plan, summary::plan(&plan)))
}

/// Takes what was said now, and not when the canary began, over into `pending`.
pub(super) fn take_over(run: &mut Run, pending: &mut Pending, release: &ReleaseArgs) {
    if let Some(hold) = release.hold {
        pending.hold_seconds = hold.as_secs();
    }
    if let Some(drain) = release.drain {
        pending.drain_seconds = drain.as_secs();
    }
    if let Some(set) = release::upstream_set(run) {
        pending.pre_release_set = Some(set);
    }
    let new = |name| !pending.exclusive.contains(name);
    let late = [
        ("--ready", release.ready.is_some()),
        ("--probes", release.probes.is_some()),
        ("--exclusive", release.exclusive.iter().any(new)),
    ];
    for (flag, _) in late.into_iter().filter(|(_, given)| *given) {
        run.warn(format!(
            "{flag} is not used: the slot was started when the canary began"
        ));
    }
}
