//! Leading the traffic back to a slot that is still warm.

use std::thread;
use std::time::{Duration, Instant};

use th_cli::{Outcome, Run};
use th_docker::Docker;
use th_record::kind::{Slot, SwapPlan, SwapStep, Swapped};
use th_record::{ErrorKind, Fail};

use crate::compose::Compose;
use crate::context::Context;
use crate::front::Front;
use crate::pending::{Pending, Phase};
use crate::receipt::Clients;
use crate::release::forget;
use crate::turn::Turn;
use crate::{Error, recover, summary, traffic, watch};

/// How long nginx may take to serve the slot.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(2);

/// Says what would be done.
pub(super) fn plan(pending: &Pending, tag: &str, slot: Slot) -> Outcome {
    let step = |action: &str, slot: &str| SwapStep {
        action: action.to_owned(),
        object: slot.to_owned(),
    };
    let plan = SwapPlan {
        tag: tag.to_owned(),
        slot,
        previous_tag: Some(pending.tag.clone()),
        previous_slot: Some(pending.slot),
        gates: Vec::new(),
        steps: vec![
            step("repoint", slot.name()),
            step("stop", pending.slot.name()),
        ],
    };
    Outcome::plan("swap_plan", &plan, summary::plan(&plan))
}

/// Leads the traffic back at once, to the slot of `report`. The process that watches stops the slot
/// that lost it; without one, this run does.
pub(super) fn go(
    context: &Context,
    run: &mut Run,
    turn: Turn,
    mut pending: Pending,
    mut report: Swapped,
) -> Result<Outcome, Error> {
    let watched = watch::is_marked(&context.state)?;
    let clients = Front::of(context)?.map(|front| Clients::start(&front));
    let slot = report.slot;
    pending.reverted_by = Some(run.id.clone());
    pending.try_enter(&context.state, run, Phase::Reverting);
    if let Some(clients) = &clients {
        clients.switch_to(slot);
    }
    if let Err(error) = traffic::give_back(context, run, Some(slot)) {
        return recover::stopped(context, run, report, Error::HalfWay(Box::new(error)));
    }
    run.done(format!("led the traffic back to {slot}"));
    let start = Instant::now();
    while let Some(clients) = &clients
        && clients.all_see(slot) == Some(false)
        && start.elapsed() < PATIENCE
    {
        thread::sleep(LOOK);
    }
    let served = clients
        .as_ref()
        .map(|clients| clients.all_see(slot) != Some(false));
    report.receipt = clients.map(Clients::finish);
    let outcome = match clear_up(context, run, turn, pending, slot, watched) {
        Ok(cut) => {
            if let Some(receipt) = &mut report.receipt {
                receipt.cut = cut;
            }
            report.stopped = !watched;
            report.live = traffic::live(context).unwrap_or_default();
            report.phases = run.take_phases();
            Outcome::done("swapped", &report, summary::swapped(&report)).changed()
        }
        Err(error) => recover::stopped(context, run, report, error)?,
    };
    Ok(if served == Some(false) {
        let seconds = PATIENCE.as_secs();
        let error = Error::NotServed { slot, seconds };
        outcome.but(ErrorKind::HalfWay, error.to_string(), error.hint())
    } else {
        outcome
    })
}

/// Does what is left once the traffic is back. Returns how many connections were cut, if this run
/// stopped the slot that lost it and they could be counted.
fn clear_up(
    context: &Context,
    run: &mut Run,
    turn: Turn,
    mut pending: Pending,
    slot: Slot,
    watched: bool,
) -> Result<Option<u64>, Error> {
    let unfinished = |error| Error::Unfinished(slot, Box::new(error));
    // A full disk keeps no service from running.
    let forgotten = forget(context, &pending);
    if !pending.exclusive.is_empty() {
        let moved = Compose::find(context).and_then(|compose| {
            recover::move_exclusive(run, &Docker::connect()?, &compose, &pending, slot)
        });
        moved.map_err(unfinished)?;
    }
    forgotten.map_err(unfinished)?;
    pending
        .enter(&context.state, Phase::Reverted)
        .map_err(unfinished)?;
    if watched {
        drop(turn);
        return Ok(None);
    }
    let docker = Docker::connect().map_err(|error| unfinished(error.into()))?;
    let compose = Compose::find(context).map_err(unfinished)?;
    recover::take_back(context, run, &docker, &compose, &mut pending)
}
