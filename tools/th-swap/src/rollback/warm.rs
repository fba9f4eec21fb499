//! Leading the traffic back to a slot that is still warm.

use std::thread;
use std::time::{Duration, Instant};

use th_cli::{Outcome, Run};
use th_docker::Docker;
use th_record::kind::{SwapPlan, SwapStep, Swapped};

use crate::compose::Compose;
use crate::context::Context;
use crate::front::Front;
use crate::pending::{Pending, Phase};
use crate::receipt::Clients;
use crate::release::{self, forget};
use crate::releases::Release;
use crate::turn::Turn;
use crate::{Error, recover, summary, traffic, watch};

/// How long nginx may take to serve the slot.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(2);

/// Says what would be done.
pub(super) fn plan(pending: &Pending, target: &Release) -> Outcome {
    let step = |action: &str, slot: &str| SwapStep {
        action: action.to_owned(),
        object: slot.to_owned(),
    };
    let plan = SwapPlan {
        tag: target.tag.clone(),
        slot: target.slot,
        previous_tag: Some(pending.tag.clone()),
        previous_slot: Some(pending.slot),
        gates: Vec::new(),
        steps: vec![
            step("repoint", target.slot.name()),
            step("stop", pending.slot.name()),
        ],
    };
    Outcome::plan("swap_plan", &plan, summary::plan(&plan))
}

/// Leads the traffic back at once. The process that watches stops the slot that lost it; without
/// one, this run does.
pub(super) fn go(
    context: &Context,
    run: &mut Run,
    turn: Turn,
    mut pending: Pending,
    target: &Release,
) -> Result<Outcome, Error> {
    let watched = watch::is_marked(&context.state)?;
    let clients = Front::of(context)?.map(|front| Clients::start(&front));
    pending.reverted_by = Some(run.id.clone());
    pending.enter(&context.state, Phase::Reverting)?;
    if let Some(clients) = &clients {
        clients.switch_to(target.slot);
    }
    traffic::give(context, run, target.slot)?;
    run.done(format!("led the traffic back to {}", target.slot));
    let start = Instant::now();
    while let Some(clients) = &clients
        && clients.all_see(target.slot) == Some(false)
        && start.elapsed() < PATIENCE
    {
        thread::sleep(LOOK);
    }
    let served = clients
        .as_ref()
        .map(|clients| clients.all_see(target.slot) != Some(false));
    let receipt = clients.map(Clients::finish);
    forget(context, &pending.run)?;
    if !pending.exclusive.is_empty() {
        let compose = Compose::find(context)?;
        compose.stop(pending.slot, &pending.tag, &pending.exclusive)?;
        compose.up(target.slot, &target.tag, &pending.exclusive)?;
    }
    pending.enter(&context.state, Phase::Reverted)?;
    let mut report = Swapped {
        tag: target.tag.clone(),
        slot: target.slot,
        previous_tag: Some(pending.tag.clone()),
        previous_slot: Some(pending.slot),
        live: traffic::live(context)?,
        images: target.images.clone(),
        pre_release_set: target.pre_release_set.clone(),
        receipt,
        ..release::report(&pending, None, None)
    };
    if watched {
        drop(turn);
    } else {
        recover::recover(context, run, &Docker::connect()?, &Compose::find(context)?)?;
        report.stopped = true;
    }
    report.phases = run.take_phases();
    let outcome = Outcome::done("swapped", &report, summary::swapped(&report)).changed();
    Ok(if served == Some(false) {
        let error = Error::NotServed {
            slot: target.slot,
            seconds: PATIENCE.as_secs(),
        };
        outcome.but(
            th_record::ErrorKind::HalfWay,
            error.to_string(),
            th_record::Fail::hint(&error),
        )
    } else {
        outcome
    })
}
