//! The way back: one repoint while the old slot is warm, a start and a repoint later.

mod fit;
mod warm;

use std::time::Duration;

use th_cli::{Outcome, Run};
use th_docker::Docker;
use th_record::kind::{SwapPlan, Swapped};

use crate::compose::Compose;
use crate::context::Context;
use crate::pending::{Pending, Phase};
use crate::recover::{self, Recovered};
use crate::release::{self, Begun, Intent, Release as Swap};
use crate::releases::Releases;
use crate::turn::Turn;
use crate::{Error, boot, resume, summary, traffic, watch};

/// How long a lock of another tool is waited for in a hold, as the process that watches does.
const LOCK: Duration = Duration::from_secs(5);

/// Goes back to the release `to`, or to the one before.
pub(crate) fn rollback(
    context: &Context,
    run: &mut Run,
    to: Option<&str>,
    hold: Option<Duration>,
) -> Result<Outcome, Error> {
    let mut turn = if run.output.plan {
        None
    } else {
        Some(take_turn(context, run, to)?)
    };
    let pending = Pending::read(&context.state)?;
    let watched = watch::is_marked(&context.state)?;
    let releases = Releases::read(&context.state)?;
    // A hold is not ended for nothing.
    let is_kept = |it: &Pending| watched && it.phase == Phase::Holding;
    if pending.as_ref().is_none_or(is_kept)
        && let Some(live) = releases.live()
        && to == Some(live.tag.as_str())
        && traffic::live(context)? == Some(live.slot)
    {
        return Ok(nothing(run, &live.tag));
    }
    if let Some(pending) = pending.clone().filter(|it| is_warm(it, to, watched))
        && let Some(slot) = pending.previous_slot
        && let Some(target) = pending
            .previous_tag
            .as_deref()
            .and_then(|tag| releases.with_tag(tag))
        && boot::probe(context, slot).is_ok()
    {
        let set = pending.pre_release_set.as_ref();
        fit::check(context, run, target, set.or(releases.set_after(target)))?;
        if hold.is_some() {
            run.warn(
                "--hold is not used: inside the hold of a release the slot that is left is stopped",
            );
        }
        return match turn {
            None => Ok(warm::plan(&pending, &target.tag, slot)),
            Some(turn) => {
                let report = back(&pending, &releases);
                warm::go(context, run, turn, pending, report)
            }
        };
    }
    // Beside another tool nothing but that is done.
    if let Some(turn) = &mut turn {
        turn.retake(&context.state, run, Duration::ZERO)?;
    }
    // What a dead run left decides which release is the one before, or is the way back already.
    let Some(pending) = pending else {
        return start(context, run, to, hold, turn);
    };
    let is_done_by = |recovered| is_done(recovered, &pending, to);
    if turn.is_none() {
        return match is_done_by(recover::outlook(context, &pending)) {
            true => resume::plan(context),
            false => start(context, run, to, hold, turn),
        };
    }
    let (docker, compose) = (Docker::connect()?, Compose::find(context)?);
    // What cannot begin must not end a hold, or a canary that is paused.
    let intent = if is_kept(&pending)
        || (pending.phase == Phase::Paused && !is_done_by(recover::outlook(context, &pending)))
    {
        let intent = intent(context, run, to, hold)?;
        release::check_ahead(context, run, &docker, &compose, &intent).map_err(of_old)?;
        Some(intent)
    } else {
        None
    };
    let recovered = match recover::recover(context, run, &docker, &compose) {
        Ok(recovered) => recovered,
        Err(error) => {
            let report = release::report(&pending);
            return recover::stopped(context, run, report, error);
        }
    };
    if is_done_by(recovered) {
        let report = Swapped {
            live: traffic::live(context).unwrap_or_default(),
            stopped: true,
            phases: run.take_phases(),
            ..match recovered {
                Recovered::Finished => release::report(&pending),
                _ => back(&pending, &releases),
            }
        };
        return Ok(Outcome::done("swapped", &report, summary::swapped(&report)).changed());
    }
    match intent.filter(|_| recovered == Recovered::Finished) {
        Some(intent) => begin(context, run, &intent, turn),
        None => start(context, run, to, hold, turn),
    }
}

/// Takes the lock. While the old slot is warm and watched over, the way back is one repoint, which
/// disturbs no other tool: as for the process that watches, its lock does not forbid it.
fn take_turn(context: &Context, run: &mut Run, to: Option<&str>) -> Result<Turn, Error> {
    let state = &context.state;
    let locked = match Turn::take(state, run) {
        Err(Error::State(error @ th_state::Error::Locked { .. })) => error,
        taken => return taken,
    };
    let watched = watch::is_marked(state)?;
    let warm = Pending::read(state)?
        .is_some_and(|it| it.phase == Phase::Holding && is_warm(&it, to, watched));
    match watched && warm && Turn::holder(state).is_some_and(|tool| tool != run.tool) {
        true => Turn::take_or_do_without(state, run, LOCK),
        false => Err(locked.into()),
    }
}

/// Tells whether the release that is meant still runs beside. A way back that died is not itself
/// gone back from, unless that is asked for by name: it was killed, and is run again.
fn is_warm(pending: &Pending, to: Option<&str>, watched: bool) -> bool {
    let wanted = match to {
        Some(to) => pending.previous_tag.as_deref() == Some(to),
        None => watched || !pending.rollback,
    };
    let warm = matches!(
        pending.phase,
        Phase::Paused | Phase::Draining | Phase::Holding
    );
    wanted && warm
}

/// Tells whether the end of the swap that `pending` was is the way back that is asked for: from there
/// it would be one release too many.
fn is_done(recovered: Recovered, pending: &Pending, to: Option<&str>) -> bool {
    let (live, back) = match recovered {
        Recovered::Finished => (Some(pending.tag.as_str()), pending.rollback),
        Recovered::TakenBack => (pending.previous_tag.as_deref(), !pending.rollback),
        Recovered::Nothing | Recovered::Mended => return false,
    };
    to.map_or(back, |to| live == Some(to))
}

/// Starts the report of the way back from `pending`; for a first release there is none, and the report
/// is that release's.
fn back(pending: &Pending, releases: &Releases) -> Swapped {
    let report = release::report(pending);
    let (Some(tag), Some(slot)) = (pending.previous_tag.clone(), pending.previous_slot) else {
        return report;
    };
    let target = releases.with_tag(&tag);
    Swapped {
        images: target.map_or(Vec::new(), |target| target.images.clone()),
        pre_release_set: target.and_then(|target| target.pre_release_set.clone()),
        tag,
        slot,
        previous_tag: Some(pending.tag.clone()),
        previous_slot: Some(pending.slot),
        head: None,
        ..report
    }
}

/// Starts the release to go back to, and gives it the traffic.
fn start(
    context: &Context,
    run: &mut Run,
    to: Option<&str>,
    hold: Option<Duration>,
    turn: Option<Turn>,
) -> Result<Outcome, Error> {
    let intent = intent(context, run, to, hold)?;
    begin(context, run, &intent, turn)
}

fn begin(
    context: &Context,
    run: &mut Run,
    intent: &Intent,
    turn: Option<Turn>,
) -> Result<Outcome, Error> {
    match Swap::begin_with(context, run, intent, turn).map_err(of_old)? {
        Begun::Plan(outcome) => Ok(outcome),
        Begun::Release(release) => release.end(|release| {
            release.boot()?;
            release.switch()?;
            release.settle()
        }),
    }
}

/// An image that a release of today has to have need not have been one of an old release.
fn of_old(error: Error) -> Error {
    match error {
        Error::NoImage(found) => Error::NoOldImage(found),
        error => error,
    }
}

/// Says that there is no way to go.
fn nothing(run: &Run, tag: &str) -> Outcome {
    let text = format!("{tag} has the traffic already");
    match run.output.plan {
        true => Outcome::plan("swap_plan", &None::<SwapPlan>, text),
        false => Outcome::done("swapped", &None::<Swapped>, text),
    }
}

/// Finds the release to go back to.
///
/// # Errors
/// When there is none, or none that works with the database.
fn intent(
    context: &Context,
    run: &mut Run,
    to: Option<&str>,
    hold: Option<Duration>,
) -> Result<Intent, Error> {
    let releases = Releases::read(&context.state)?;
    let target = match to {
        Some(tag) => releases
            .with_tag(tag)
            .ok_or_else(|| Error::NoRelease(tag.to_owned()))?,
        None => releases.before().ok_or(Error::NothingBefore)?,
    };
    fit::check(context, run, target, releases.set_after(target))?;
    let (live, hold) = (releases.live(), hold.unwrap_or_default());
    Ok(Intent::back(context, target, live, hold))
}
