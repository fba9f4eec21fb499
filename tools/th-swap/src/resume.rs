//! Going on with what a run that died has left.

use th_cli::{Outcome, Run};
use th_docker::Docker;
use th_record::kind::{SwapPlan, SwapStep, Swapped};

use crate::compose::Compose;
use crate::context::Context;
use crate::pending::{Pending, Phase};
use crate::recover::{self, Recovered};
use crate::release::{self, Release};
use crate::turn::Turn;
use crate::{Error, summary, traffic, watch};

/// Finishes what was moved and proven, watching for what is left of the hold; takes back the rest.
pub(crate) fn resume(context: &Context, run: &mut Run) -> Result<Outcome, Error> {
    if run.output.plan {
        return plan(context);
    }
    let turn = Turn::take(&context.state, run)?;
    let pending = Pending::read(&context.state)?;
    if watch::is_marked(&context.state)? {
        let why = "a process is at it: it holds the old slot warm and watches";
        return Ok(left_alone(run, why));
    }
    match pending {
        Some(pending) if pending.phase == Phase::Paused => {
            let why = format!(
                "a canary is paused: th-swap canary --tag {} goes on, th-swap rollback takes it back",
                pending.tag
            );
            Ok(left_alone(run, &why))
        }
        Some(pending)
            if matches!(pending.phase, Phase::Draining | Phase::Holding)
                && !recover::is_back(context, &pending) =>
        {
            Release::resume(context, run, turn, pending)?.end(Release::settle)
        }
        Some(pending) => {
            let (docker, compose) = (Docker::connect()?, Compose::find(context)?);
            let report = release::report(&pending);
            if let Err(error) = recover::recover(context, run, &docker, &compose) {
                return recover::stopped(context, run, report, error);
            }
            let report = Swapped {
                live: traffic::live(context).unwrap_or_default(),
                stopped: true,
                ..report
            };
            Ok(Outcome::done("swapped", &report, summary::swapped(&report)).changed())
        }
        None => {
            let (docker, compose) = (Docker::connect()?, Compose::find(context)?);
            Ok(nothing(
                match recover::recover(context, run, &docker, &compose)? {
                    Recovered::Mended => "the lanes are mended",
                    _ => "there is nothing to resume",
                },
            ))
        }
    }
}

/// There is something, and it is not for this command.
fn left_alone(run: &mut Run, why: &str) -> Outcome {
    run.warn(why);
    nothing(why)
}

fn nothing(why: &str) -> Outcome {
    Outcome::done("swapped", &None::<Swapped>, why.to_owned())
}

/// Says what would be done about what is on disk.
pub(crate) fn plan(context: &Context) -> Result<Outcome, Error> {
    let Some(pending) = Pending::read(&context.state)? else {
        return Ok(Outcome::plan(
            "swap_plan",
            &None::<SwapPlan>,
            "there is nothing to resume".to_owned(),
        ));
    };
    let mut step = step(recover::outlook(context, &pending), &pending);
    if pending.phase == Phase::Paused {
        step.action = "leave_paused".to_owned();
    }
    let plan = SwapPlan {
        tag: pending.tag.clone(),
        slot: pending.slot,
        previous_tag: pending.previous_tag.clone(),
        previous_slot: pending.previous_slot,
        gates: Vec::new(),
        steps: vec![step],
    };
    Ok(Outcome::plan("swap_plan", &plan, summary::plan(&plan)))
}

/// Says what is done about `pending`, in a plan.
pub(crate) fn step(recovered: Recovered, pending: &Pending) -> SwapStep {
    let action = match recovered {
        Recovered::Finished => "finish",
        _ => "take_back",
    };
    SwapStep {
        action: action.to_owned(),
        object: format!("the release of '{}' by run {}", pending.tag, pending.run),
    }
}
