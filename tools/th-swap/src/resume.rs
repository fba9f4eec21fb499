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
        return Ok(nothing(
            "a process is at it: it holds the old slot warm and watches",
        ));
    }
    match pending {
        Some(pending) if pending.phase == Phase::Paused => Ok(nothing(&format!(
            "a canary is paused: th-swap canary --tag {} goes on, th-swap rollback takes it back",
            pending.tag
        ))),
        Some(pending) if matches!(pending.phase, Phase::Draining | Phase::Holding) => {
            Release::resume(context, run, turn, pending)?.end(Release::settle)
        }
        pending => {
            let recovered =
                recover::recover(context, run, &Docker::connect()?, &Compose::find(context)?)?;
            let Some(pending) = pending else {
                let mended = recovered == Recovered::Mended;
                let outcome = nothing(if mended {
                    "the lanes are mended"
                } else {
                    "there is nothing to resume"
                });
                return Ok(if mended { outcome.changed() } else { outcome });
            };
            let report = Swapped {
                live: traffic::live(context)?,
                stopped: true,
                ..release::report(&pending, None, None)
            };
            Ok(Outcome::done("swapped", &report, summary::swapped(&report)).changed())
        }
    }
}

fn nothing(why: &str) -> Outcome {
    Outcome::done("swapped", &None::<Swapped>, why.to_owned())
}

fn plan(context: &Context) -> Result<Outcome, Error> {
    let Some(pending) = Pending::read(&context.state)? else {
        return Ok(Outcome::plan(
            "swap_plan",
            &None::<SwapPlan>,
            "there is nothing to resume".to_owned(),
        ));
    };
    let action = match pending.phase {
        Phase::Starting | Phase::Switching | Phase::Reverting | Phase::Reverted => "take_back",
        Phase::Paused => "leave_paused",
        Phase::Draining | Phase::Holding | Phase::Retiring => "finish",
    };
    let plan = SwapPlan {
        tag: pending.tag.clone(),
        slot: pending.slot,
        previous_tag: pending.previous_tag.clone(),
        previous_slot: pending.previous_slot,
        gates: Vec::new(),
        steps: vec![SwapStep {
            action: action.to_owned(),
            object: format!("the release of '{}' by run {}", pending.tag, pending.run),
        }],
    };
    Ok(Outcome::plan("swap_plan", &plan, summary::plan(&plan)))
}
