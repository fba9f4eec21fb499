//! What is on disk, what runs, what is served, and whether they agree.

use std::time::Duration;

use th_cli::{Outcome, Run};
use th_config::Mode;
use th_docker::{Docker, Member};
use th_record::kind::{Slot, SlotStatus, SwapStatus};
use th_record::{ErrorKind, Failure};

use crate::context::Context;
use crate::front::Front;
use crate::pending::{Pending, Phase};
use crate::plan::FrontSeen;
use crate::releases::Releases;
use crate::{Error, boot, drain, preflight, summary, traffic, watch};

/// So many users find every lane, or nearly.
const USERS: u64 = 40;

/// How long the engine may take to answer; systemd takes connections for one that is down.
const ENGINE: Duration = Duration::from_secs(5);

/// Looks, and compares. When something does not agree the answer is no. Without the engine it tells
/// what can be seen without it.
pub(crate) fn status(context: &Context, _run: &mut Run) -> Result<Outcome, Error> {
    let members = members(context);
    let pending = Pending::read(&context.state)?;
    let alive = watch::is_marked(&context.state)? || is_locked(context);
    let releases = Releases::read(&context.state)?;
    let slot = traffic::live(context)?;
    let of_slot = |at: usize| Some(members.as_ref().ok()?[at].as_slice());
    let slots = Slot::ALL
        .into_iter()
        .enumerate()
        .map(|(at, slot)| of(context, slot, of_slot(at)))
        .collect::<Result<Vec<_>, _>>()?;
    let front = Front::of(context)?.map(|front| preflight::look(&front, USERS));
    let mut status = SwapStatus {
        tag: releases.live().map(|live| live.tag.clone()),
        slot,
        slots,
        served: match &front {
            Some(FrontSeen::Slots(slots, _)) => Some(slots.clone()),
            Some(FrontSeen::Down(_)) => Some(Vec::new()),
            None => None,
        },
        pending: pending.map(|pending| pending.shown(alive)),
        maintenance: context.root.join("run/maintenance").exists(),
        agree: true,
        problems: Vec::new(),
    };
    status.problems = problems(
        context,
        &status,
        releases.live().map(|live| live.slot),
        front.as_ref(),
    )?;
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
        (None, Some(first)) => outcome.but(ErrorKind::Negative, first.clone(), hint(&status)),
    })
}

/// Returns the containers of each slot.
fn members(context: &Context) -> Result<[Vec<Member>; 2], Error> {
    let docker = Docker::connect_within(ENGINE)?;
    let of = |slot| docker.project(&context.project(slot));
    let [blue, green] = Slot::ALL.map(of);
    Ok([blue?, green?])
}

fn of(context: &Context, slot: Slot, members: Option<&[Member]>) -> Result<SlotStatus, Error> {
    let of_service = |name: &str| members?.iter().find(|member| member.service == name);
    let services = &context.slots.services;
    let first = services.first().and_then(|first| of_service(&first.name));
    let tag = first.and_then(|member| member.container.image_name.rsplit_once(':'));
    let runs = |name: &str| of_service(name).is_some_and(|member| member.container.running);
    Ok(SlotStatus {
        name: slot,
        lanes: match context.slots.mode {
            Mode::Lanes => context.lanes.read()?.count(slot).into(),
            Mode::Reload => u64::from(traffic::live(context)? == Some(slot)),
        },
        tag: tag.map(|(_, tag)| tag.to_owned()),
        running: members.map(|_| services.iter().all(|service| runs(&service.name))),
        healthy: boot::probe(context, slot).is_ok(),
        connections: members.and_then(|members| drain::count(context, slot, members)),
    })
}

/// A swap that is not in its hold has the lock.
fn is_locked(context: &Context) -> bool {
    let lock = std::fs::File::open(context.state.path("lock"));
    let shared = rustix::fs::FlockOperation::NonBlockingLockShared;
    lock.is_ok_and(|lock| rustix::fs::flock(&lock, shared).is_err())
}

fn problems(
    context: &Context,
    status: &SwapStatus,
    remembered: Option<Slot>,
    front: Option<&FrontSeen>,
) -> Result<Vec<String>, Error> {
    let mut problems = Vec::new();
    if let Some(pending) = status
        .pending
        .as_ref()
        .filter(|pending| !pending.alive && pending.phase != Phase::Paused.name())
    {
        problems.push(format!(
            "run {} died while it was {} with '{}'",
            pending.run, pending.phase, pending.tag
        ));
    }
    let busy = status.pending.is_some();
    let Some(live) = status.slot else {
        let lanes: u64 = status.slots.iter().map(|slot| slot.lanes).sum();
        if (lanes > 0 || remembered.is_some()) && !busy {
            problems.push("the lanes do not all lead to one slot".to_owned());
        }
        return Ok(problems);
    };
    if remembered.is_some_and(|remembered| remembered != live) && !busy {
        problems.push(format!(
            "the lanes lead to {live}, but '{}' was released in {}",
            status.tag.as_deref().unwrap_or_default(),
            live.other()
        ));
    }
    for slot in status.slots.iter().filter(|slot| slot.name == live) {
        if slot.running == Some(false) {
            problems.push(format!("{live} has the traffic, and does not run"));
        } else if !slot.healthy {
            let why = boot::probe(context, live).err().unwrap_or_default();
            problems.push(format!("{live} has the traffic, and is not healthy: {why}"));
        } else if slot.tag.is_some() && status.tag.is_some() && slot.tag != status.tag && !busy {
            problems.push(format!(
                "{live} runs '{}', but '{}' was released",
                slot.tag.as_deref().unwrap_or_default(),
                status.tag.as_deref().unwrap_or_default()
            ));
        }
    }
    match front {
        Some(FrontSeen::Down(why)) => problems.push(why.clone()),
        Some(FrontSeen::Slots(slots, _)) if slots.contains(&live.other()) => {
            problems.push(format!(
                "the lanes lead to {live}, but nginx serves {}",
                live.other()
            ));
        }
        Some(FrontSeen::Slots(_, bad)) if *bad > 0 => {
            problems.push(format!(
                "{bad} of {USERS} requests through nginx were not answered well"
            ));
        }
        _ => {}
    }
    Ok(problems)
}

fn hint(status: &SwapStatus) -> Option<String> {
    let died = status
        .pending
        .as_ref()
        .is_some_and(|pending| !pending.alive);
    Some(if died || status.slot.is_none() {
        "th-swap resume finishes it or takes it back".to_owned()
    } else {
        "th-swap doctor looks for the cause".to_owned()
    })
}
