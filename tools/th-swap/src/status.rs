//! What is on disk, what runs, what is served, and whether they agree.

mod problems;

use std::time::Duration;

use th_cli::{Outcome, Run};
use th_config::Mode;
use th_docker::{Docker, Member, split_name};
use th_record::kind::{Slot, SlotStatus, SwapStatus};
use th_record::{ErrorKind, Failure};
use th_state::Lock;

use crate::context::Context;
use crate::front::Front;
use crate::pending::Pending;
use crate::plan::FrontSeen;
use crate::releases::Releases;
use crate::{Error, boot, drain, maintenance, preflight, summary, traffic, watch};
use problems::{SlotSeen, Traffic};

/// So many users find every lane, or nearly.
const USERS: u64 = 40;

/// How long the engine may take to answer; systemd takes connections for one that is down.
const ENGINE: Duration = Duration::from_secs(5);

/// Looks, and compares. When something does not agree the answer is no. Without the engine it tells
/// what can be seen without it.
pub(crate) fn status(context: &Context, _run: &mut Run) -> Result<Outcome, Error> {
    let members = members(context);
    let pending = Pending::read(&context.state)?;
    let alive = watch::is_marked(&context.state)? || Lock::is_held(&context.state)?;
    let releases = Releases::read(&context.state)?;
    let slot = traffic::live(context)?;
    let of_slot = |at: usize| Some(members.as_ref().ok()?[at].as_slice());
    let slots = Slot::ALL
        .into_iter()
        .enumerate()
        .map(|(at, slot)| of(context, slot, of_slot(at)))
        .collect::<Result<Vec<_>, _>>()?;
    let front = Front::of(context)?.map(|front| preflight::look(&front, USERS, front.gets()));
    let mut status = SwapStatus {
        tag: releases.live().map(|live| live.tag.clone()),
        slot,
        slots: slots.iter().map(|seen| seen.status.clone()).collect(),
        served: match &front {
            Some(FrontSeen::Answers(answers)) => Some(answers.slots.clone()),
            Some(FrontSeen::Down(_)) => Some(Vec::new()),
            None => None,
        },
        pending: pending.map(|pending| pending.shown(alive)),
        maintenance: maintenance::is_on(context),
        agree: true,
        problems: Vec::new(),
    };
    let traffic = Traffic {
        include: match context.slots.mode {
            Mode::Lanes => None,
            Mode::Reload => Some(&context.slots.nginx.include),
        },
        live: slot,
        remembered: releases.live(),
        pending: status.pending.as_ref(),
        slots: &slots,
        front: front.as_ref(),
    };
    let (problems, hint) = (traffic.problems(), traffic.hint());
    status.problems = problems;
    let blind = members.err().map(|error| Failure::of(&error));
    if let Some(failure) = &blind {
        let problem = format!("it is not known what runs: {}", failure.message);
        status.problems.push(problem);
    }
    status.agree = status.problems.is_empty();
    let outcome = Outcome::done("swap_status", &status, summary::status(&status));
    Ok(match (blind, status.problems.first()) {
        (Some(failure), _) => {
            let why = status.problems.join("; ");
            outcome.but(failure.kind, why, failure.hint)
        }
        (None, None) => outcome,
        (None, Some(first)) => {
            outcome.but(ErrorKind::Negative, first.clone(), Some(hint.to_owned()))
        }
    })
}

/// Returns the containers of each slot.
fn members(context: &Context) -> Result<[Vec<Member>; 2], Error> {
    let docker = Docker::connect_within(ENGINE)?;
    let of = |slot| docker.project(&context.project(slot));
    let [blue, green] = Slot::ALL.map(of);
    Ok([blue?, green?])
}

fn of(context: &Context, slot: Slot, members: Option<&[Member]>) -> Result<SlotSeen, Error> {
    let of_service = |name: &str| members?.iter().find(|member| member.service == name);
    let services = &context.slots.services;
    let first = services.first().and_then(|first| of_service(&first.name));
    let tag = first.and_then(|member| split_name(&member.container.image_name).1);
    let runs = |name: &str| of_service(name).is_some_and(|member| member.container.running);
    let health = boot::probe(context, slot);
    let images = services.iter().filter_map(|service| {
        let container = &of_service(&service.name)?.container;
        Some((container.image_name.clone(), container.image_id.clone()))
    });
    Ok(SlotSeen {
        images: images.collect(),
        status: SlotStatus {
            name: slot,
            lanes: match context.slots.mode {
                Mode::Lanes => context.lanes.read()?.count(slot).into(),
                Mode::Reload => u64::from(traffic::live(context)? == Some(slot)),
            },
            tag: tag.map(str::to_owned),
            running: members.map(|_| services.iter().all(|service| runs(&service.name))),
            healthy: health.is_ok(),
            connections: members.and_then(|members| drain::count(context, slot, members)),
        },
        health,
    })
}
