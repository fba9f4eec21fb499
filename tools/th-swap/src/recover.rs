//! What a run that died has left: finished, or taken back.

use std::time::{Duration, Instant};

use th_cli::{Outcome, Run};
use th_config::Mode;
use th_docker::Docker;
use th_record::kind::{Slot, Swapped};
use th_record::{ErrorKind, Fail, Failure};

use crate::compose::Compose;
use crate::context::Context;
use crate::pending::{Pending, Phase};
use crate::release::{empty_slot, forget, remember, report};
use crate::releases::Releases;
use crate::{Error, boot, engine, silence, summary, traffic};

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

/// Makes of what kept a dead run's swap from its end the reason to begin nothing: a person is needed,
/// whoever has the traffic.
pub(crate) fn blocked(error: Error) -> Error {
    match error {
        Error::Unfinished(_, error) => Error::HalfWay(error),
        error => error,
    }
}

/// Ends the swap that is on disk. Until its receipt is good it is taken back, then it is finished.
/// The lock is held.
///
/// # Errors
/// [`Error::Unfinished`] when the traffic is where it belongs, [`Error::HalfWay`] when it may not be;
/// after any other, nothing was changed.
pub(crate) fn recover(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
) -> Result<Recovered, Error> {
    let Some(mut pending) = Pending::read(&context.state)? else {
        return mend(context, run);
    };
    let what = format!(
        "the release of '{}' that run {} had begun",
        pending.tag, pending.run
    );
    let recovered = outlook(context, &pending);
    match recovered {
        Recovered::Finished => finish(context, run, docker, compose, &mut pending)?,
        _ => take_back(context, run, docker, compose, &mut pending).map(drop)?,
    }
    run.changed();
    run.warn(match recovered {
        Recovered::Finished => format!("finished {what}"),
        _ => format!("took back {what}"),
    });
    Ok(recovered)
}

/// Tells whether `pending`, which died, is to be finished or taken back.
pub(crate) fn outlook(context: &Context, pending: &Pending) -> Recovered {
    let slot = pending.slot;
    let is_worse = || {
        let old = pending.previous_slot;
        old.is_some_and(|old| boot::worse(context, slot, old).is_some())
    };
    let finish = match pending.phase {
        Phase::Starting | Phase::Paused | Phase::Reverted | Phase::Reverting => false,
        Phase::Draining | Phase::Holding => !is_back(context, pending) && !is_worse(),
        Phase::Retiring => !is_worse(),
        // Without a receipt the old slot is the safe one, if it is any good.
        Phase::Switching => pending.previous_slot.is_none_or(|old| {
            boot::probe(context, old).is_err() && boot::probe(context, slot).is_ok()
        }),
    };
    if finish {
        Recovered::Finished
    } else {
        Recovered::TakenBack
    }
}

/// Tells whether the old slot has the traffic whatever the phase says: on a full disk it is led back
/// without a word.
pub(crate) fn is_back(context: &Context, pending: &Pending) -> bool {
    let live = traffic::live(context).unwrap_or_default();
    live.is_some() && live == pending.previous_slot
}

/// Says how far a swap came that ended with `error`, and who has the traffic.
///
/// # Errors
/// `error`, if it leaves nothing changed.
pub(crate) fn stopped(
    context: &Context,
    run: &mut Run,
    report: Swapped,
    error: Error,
) -> Result<Outcome, Error> {
    if !matches!(error.kind(), ErrorKind::Partial | ErrorKind::HalfWay) {
        return Err(error);
    }
    let report = Swapped {
        live: traffic::live(context).unwrap_or_default(),
        phases: run.take_phases(),
        ..report
    };
    let failure = Failure::of(&error);
    // The frame makes of this the signal that it was.
    let kind = match failure.kind {
        ErrorKind::Partial if run.cancelled() => ErrorKind::Interrupted,
        kind => kind,
    };
    let outcome = Outcome::done("swapped", &report, summary::swapped(&report)).changed();
    Ok(outcome.but(kind, failure.message, failure.hint))
}

fn finish(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
    pending: &mut Pending,
) -> Result<(), Error> {
    let slot = pending.slot;
    traffic::give(context, run, slot).map_err(half_way)?;
    let mut rest = || {
        move_exclusive(run, docker, compose, pending, slot)?;
        engine::steadily(run, docker, |_| {
            remember(context, docker, pending, &report(pending))
        })?;
        pending.enter(&context.state, Phase::Retiring)?;
        if let Some(old) = pending.previous_slot {
            let old_tag = pending.previous_tag.clone().unwrap_or_default();
            let limit = Duration::from_secs(pending.drain_seconds);
            empty_slot(context, run, docker, compose, old, &old_tag, limit)?;
        }
        clear(context)
    };
    rest().map_err(unfinished(slot))
}

/// Takes `pending` back: the traffic first, then the slot that was to get it. Returns how many
/// connections were cut when that was stopped, if it can be told.
///
/// # Errors
/// Those of [`recover`], and always one of the first two.
pub(crate) fn take_back(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
    pending: &mut Pending,
) -> Result<Option<u64>, Error> {
    let (slot, previous) = (pending.slot, pending.previous_slot);
    let had_traffic = pending.phase != Phase::Starting;
    let moved = had_traffic && pending.phase != Phase::Reverted;
    if moved {
        // On a full disk the traffic goes back all the same: the phase before leads there too.
        pending.try_enter(&context.state, run, Phase::Reverting);
        let began = Instant::now();
        traffic::give_back(context, run, previous).map_err(half_way)?;
        run.took("repoint_back", began.elapsed().as_secs_f64());
        run.done(match previous {
            Some(previous) => format!("led the traffic back to {previous}"),
            None => format!("took the traffic from {slot}"),
        });
    }
    let mut rest = || {
        if let (true, Some(previous)) = (moved, previous) {
            move_exclusive(run, docker, compose, pending, previous)?;
        }
        forget(context, pending)?;
        pending.try_enter(&context.state, run, Phase::Reverted);
        // Some of the users are still there, whoever led the traffic back.
        let limit = match had_traffic && previous.is_some() {
            true => Duration::from_secs(pending.drain_seconds),
            false => Duration::ZERO,
        };
        let cut = empty_slot(context, run, docker, compose, slot, &pending.tag, limit)?;
        run.done(format!("stopped {slot}"));
        clear(context)?;
        Ok(cut)
    };
    rest().map_err(|error| match previous {
        Some(previous) => unfinished(previous)(error),
        None => half_way(error),
    })
}

/// Has the services that must not run twice run in `to`, and in the other slot no more.
pub(crate) fn move_exclusive(
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
    pending: &Pending,
    to: Slot,
) -> Result<(), Error> {
    let names = &pending.exclusive;
    if names.is_empty() {
        return Ok(());
    }
    let (new, old) = (
        &pending.tag,
        pending.previous_tag.as_deref().unwrap_or_default(),
    );
    let (tag, other) = match to == pending.slot {
        true => (new.as_str(), old),
        false => (old, new.as_str()),
    };
    if pending.previous_slot.is_some() {
        engine::steadily(run, docker, |_| compose.stop(to.other(), other, names))?;
    }
    engine::up(run, docker, compose, to, tag, names)
}

fn clear(context: &Context) -> Result<(), Error> {
    Pending::clear(&context.state)?;
    silence::end(context)
}

fn half_way(error: Error) -> Error {
    Error::HalfWay(Box::new(error))
}

fn unfinished(slot: Slot) -> impl Fn(Error) -> Error {
    move |error| Error::Unfinished(slot, Box::new(error))
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
            context.lanes.repoint(live).map_err(half_way)?;
            run.changed();
            run.warn(format!(
                "not all lanes led to one slot: they lead to {live} again"
            ));
            Ok(Recovered::Mended)
        }
        _ => Ok(Recovered::Nothing),
    }
}
