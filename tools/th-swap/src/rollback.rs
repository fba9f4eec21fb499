//! The way back: one repoint while the old slot is warm, a start and a repoint later.

mod warm;

use std::time::Duration;

use th_cli::{Outcome, Run};
use th_docker::Docker;

use crate::compose::Compose;
use crate::context::Context;
use crate::pending::{Pending, Phase};
use crate::release::{Begun, Intent, Release as Swap};
use crate::releases::{Release, Releases};
use crate::schema::{self, Schema};
use crate::turn::Turn;
use crate::{Error, recover, watch};

/// What the process that holds has seen of the head is trusted for this long.
const HEAD_AGE: Duration = Duration::from_secs(10);

/// Goes back to the release `to`, or to the one before.
pub(crate) fn rollback(
    context: &Context,
    run: &mut Run,
    to: Option<&str>,
    hold: Option<Duration>,
) -> Result<Outcome, Error> {
    let turn = if run.output.plan {
        None
    } else {
        Some(Turn::take(&context.state, run)?)
    };
    let pending = Pending::read(&context.state)?;
    let releases = Releases::read(&context.state)?;
    if let Some(pending) = pending.filter(|pending| is_warm(pending, to))
        && let Some(target) = pending
            .previous_tag
            .as_deref()
            .and_then(|tag| releases.with_tag(tag))
        && crate::boot::probe(context, target.slot).is_ok()
    {
        check_schema(context, run, target)?;
        return match turn {
            None => Ok(warm::plan(&pending, target)),
            Some(turn) => warm::go(context, run, turn, pending, target),
        };
    }
    if turn.is_some() {
        // What a dead run left decides which release is the one before.
        recover::recover(context, run, &Docker::connect()?, &Compose::find(context)?)?;
    }
    let releases = Releases::read(&context.state)?;
    let target = match to {
        Some(tag) => releases
            .with_tag(tag)
            .ok_or_else(|| Error::NoRelease(tag.to_owned()))?,
        None => releases.before().ok_or(Error::NothingBefore)?,
    };
    check_schema(context, run, target)?;
    let slots = &context.slots;
    let intent = Intent {
        tag: target.tag.clone(),
        hold: hold.unwrap_or_default(),
        drain: slots.drain,
        ready: slots.ready,
        probes: 3,
        exclusive: slots.exclusive.clone(),
        shares: Vec::new(),
        rollback: true,
    };
    match Swap::begin_with(context, run, &intent, turn)? {
        Begun::Plan(outcome) => Ok(outcome),
        Begun::Release(release) => release.end(|release| {
            release.boot()?;
            release.switch()?;
            release.settle()
        }),
    }
}

/// Tells whether the release that is meant still runs beside.
fn is_warm(pending: &Pending, to: Option<&str>) -> bool {
    matches!(
        pending.phase,
        Phase::Paused | Phase::Draining | Phase::Holding
    ) && pending.previous_slot.is_some()
        && to.is_none_or(|to| pending.previous_tag.as_deref() == Some(to))
}

/// Refuses when the database has moved past what the release was seen to work with.
fn check_schema(context: &Context, run: &mut Run, target: &Release) -> Result<(), Error> {
    if context.env.database.is_none() {
        return Ok(());
    }
    let noted = match watch::is_marked(&context.state)? {
        true => schema::noted(context, HEAD_AGE),
        false => None,
    };
    let head = match noted {
        Some(head) => head,
        None => match Schema::connect(context, run)
            .and_then(|schema| schema.map_or(Ok(None), |mut schema| schema.head()))
        {
            Ok(head) => head,
            Err(error) => {
                run.warn(format!(
                    "it is not known what the database's schema is: {error}"
                ));
                return Ok(());
            }
        },
    };
    match head {
        Some(head) if target.heads.is_empty() => {
            run.warn(format!(
                "it is not known whether '{}' works with the database at {head}: nobody has seen it",
                target.tag
            ));
            Ok(())
        }
        Some(head) if !target.heads.contains(&head) => Err(Error::Schema {
            tag: target.tag.clone(),
            head,
            heads: target.heads.clone(),
            environment: context.name.clone(),
            set: target.pre_release_set.clone(),
        }),
        _ => Ok(()),
    }
}
