//! What a run that died has left: finished, or taken back.

use std::time::Duration;

use th_cli::Run;
use th_config::Mode;
use th_docker::Docker;

use crate::compose::Compose;
use crate::context::Context;
use crate::pending::{Pending, Phase};
use crate::release::{forget, remember, report, stop_slot};
use crate::releases::Releases;
use crate::{Error, boot, drain, silence, traffic};

/// What was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovered {
    /// There was nothing to do.
    Nothing,
    /// The release has the traffic, and the old slot is stopped.
    Finished,
    /// The old slot has the traffic, and the new one is stopped.
    TakenBack,
    /// The lanes are led to one slot again.
    Mended,
}

/// Ends the swap that is on disk. Until its receipt is good it is taken back, then it is finished.
/// The lock is held.
pub(crate) fn recover(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
) -> Result<Recovered, Error> {
    let Some(mut pending) = Pending::read(&context.state)? else {
        return mend(context, run);
    };
    let (tag, slot) = (pending.tag.clone(), pending.slot);
    let what = format!("the release of '{tag}' that run {} had begun", pending.run);
    let finish = match pending.phase {
        Phase::Starting | Phase::Paused | Phase::Reverted | Phase::Reverting => false,
        Phase::Draining | Phase::Holding | Phase::Retiring => true,
        // Without a receipt the old slot is the safe one, if it is any good.
        Phase::Switching => pending.previous_slot.is_none_or(|old| {
            boot::probe(context, old).is_err() && boot::probe(context, slot).is_ok()
        }),
    };
    if finish {
        traffic::give(context, run, slot)?;
        remember(context, docker, &pending, &report(&pending, None, None))?;
        pending.enter(&context.state, Phase::Retiring)?;
        if let Some(old) = pending.previous_slot {
            let old_tag = pending.previous_tag.clone().unwrap_or_default();
            let limit = Duration::from_secs(pending.drain_seconds);
            drain::wait(context, run, docker, old, limit)?;
            stop_slot(context, run, docker, compose, old, &old_tag)?;
        }
        Pending::clear(&context.state)?;
        silence::end(context)?;
        run.warn(format!("finished {what}"));
        return Ok(Recovered::Finished);
    }
    let moved = !matches!(pending.phase, Phase::Starting | Phase::Reverted);
    if let (true, Some(old)) = (moved, pending.previous_slot) {
        pending.enter(&context.state, Phase::Reverting)?;
        traffic::give(context, run, old)?;
        if !pending.exclusive.is_empty() {
            compose.stop(slot, &tag, &pending.exclusive)?;
            let old_tag = pending.previous_tag.clone().unwrap_or_default();
            compose.up(old, &old_tag, &pending.exclusive)?;
        }
    }
    forget(context, &pending.run)?;
    let had_traffic = pending.phase != Phase::Starting;
    pending.enter(&context.state, Phase::Reverted)?;
    if had_traffic {
        let limit = Duration::from_secs(pending.drain_seconds);
        drain::wait(context, run, docker, slot, limit)?;
    }
    stop_slot(context, run, docker, compose, slot, &tag)?;
    Pending::clear(&context.state)?;
    silence::end(context)?;
    run.warn(format!("took back {what}"));
    Ok(Recovered::TakenBack)
}

/// Leads lanes that lead to both slots, or some of them nowhere, to the slot of the live release.
fn mend(context: &Context, run: &mut Run) -> Result<Recovered, Error> {
    if context.slots.mode != Mode::Lanes {
        return Ok(Recovered::Nothing);
    }
    let layout = context.lanes.read()?;
    let live = Releases::read(&context.state)?.live().map(|live| live.slot);
    match live {
        Some(live) if layout.slot().is_none() => {
            context.lanes.repoint(live)?;
            run.warn(format!(
                "not all lanes led to one slot: they lead to {live} again"
            ));
            Ok(Recovered::Mended)
        }
        _ => Ok(Recovered::Nothing),
    }
}
