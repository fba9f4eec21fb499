//! The beginning of a release: the lock, what a dead run left, the gates, the journal.

use std::time::Instant;

use th_cli::{Outcome, Run};
use th_config::Mode;
use th_docker::Docker;
use th_record::Id;
use th_record::kind::Swapped;

use super::ahead::{self, Ahead};
use super::survey::Survey;
use super::{Intent, Release};
use crate::access_log::AccessLog;
use crate::analysis::Sample;
use crate::compose::Compose;
use crate::context::Context;
use crate::front::Front;
use crate::pending::{Pending, Phase};
use crate::schema::Schema;
use crate::turn::Turn;
use crate::{Error, plan, recover, reload, silence, summary};

/// A beginning.
pub(crate) enum Begun<'a> {
    /// Only the plan was asked for.
    Plan(Outcome),
    /// It has begun; nothing is started yet.
    Release(Box<Release<'a>>),
}

impl<'a> Release<'a> {
    /// Takes the lock, finishes or takes back what a dead run left, checks every gate, and notes
    /// that the release begins. With `--plan` it only looks.
    ///
    /// # Errors
    /// The reason not to begin; nothing is changed then but what a dead run left.
    pub(crate) fn begin(
        context: &'a Context,
        run: &'a mut Run,
        intent: &Intent,
    ) -> Result<Begun<'a>, Error> {
        let turn = if run.output.plan {
            None
        } else {
            Some(Turn::take(&context.state, run)?)
        };
        Self::begin_with(context, run, intent, turn)
    }

    /// As [`Release::begin`], with the lock in hand.
    pub(crate) fn begin_with(
        context: &'a Context,
        run: &'a mut Run,
        intent: &Intent,
        turn: Option<Turn>,
    ) -> Result<Begun<'a>, Error> {
        let began = Instant::now();
        let (docker, compose) = (Docker::connect()?, Compose::find(context)?);
        match context.slots.mode {
            Mode::Lanes if !context.lanes.dir().is_dir() => {
                return Err(Error::NotLaid(context.lanes.dir().to_owned()));
            }
            Mode::Lanes => {}
            Mode::Reload => reload::check(context)?,
        }
        if turn.is_some() {
            ahead::check(context, run, &docker, &compose, intent)?;
            recover::recover(context, run, &docker, &compose).map_err(recover::blocked)?;
        }
        let mut ahead = Ahead::look(context)?;
        let first = ahead.first.take();
        let survey = Survey::make(context, run, &docker, &compose, intent, ahead)?;
        let Some(turn) = turn else {
            let mut plan = survey.plan;
            plan.steps.splice(0..0, first);
            let text = summary::plan(&plan);
            return Ok(Begun::Plan(Outcome::plan("swap_plan", &plan, text)));
        };
        if let Some(refusal) = plan::refusal(&survey.plan) {
            return Err(refusal);
        }
        let log = AccessLog::of(context)?;
        let pending = pending(run, intent, &survey);
        run.took("preflight", began.elapsed().as_secs_f64());
        note(context, run, intent, &pending)?;
        Ok(Begun::Release(Box::new(Self {
            report: report(&pending),
            context,
            run,
            docker,
            compose,
            front: survey.front,
            pending,
            turn,
            schema: survey.schema,
            services: survey.services,
            probes: intent.probes,
            ready_seconds: intent.ready.as_secs(),
            clients: None,
            log,
            before: Sample::default(),
        })))
    }

    /// Goes on with what a dead run had begun, from the hold on.
    pub(crate) fn resume(
        context: &'a Context,
        run: &'a mut Run,
        turn: Turn,
        pending: Pending,
    ) -> Result<Self, Error> {
        Ok(Self {
            report: report(&pending),
            docker: Docker::connect()?,
            compose: Compose::find(context)?,
            front: Front::of(context)?,
            context,
            run,
            pending,
            turn,
            // Connected to while the slot is watched already.
            schema: None::<Schema>,
            services: Vec::new(),
            probes: 1,
            ready_seconds: 0,
            clients: None,
            log: AccessLog::of(context)?,
            before: Sample::default(),
        })
    }
}

/// Notes that `pending` begins, and asks for silence. Nothing is started yet.
fn note(context: &Context, run: &mut Run, intent: &Intent, pending: &Pending) -> Result<(), Error> {
    pending.write(&context.state)?;
    let seconds = (intent.ready + intent.drain + intent.hold).as_secs() + 60;
    let reason = format!("release of {}", intent.tag);
    silence::keep(context, run, reason, seconds).or_else(|error| {
        Pending::clear(&context.state).inspect_err(|_| run.changed())?;
        Err(error)
    })
}

fn pending(run: &Run, intent: &Intent, survey: &Survey) -> Pending {
    let plan = &survey.plan;
    Pending {
        run: run.id.clone(),
        tag: plan.tag.clone(),
        slot: plan.slot,
        previous_tag: plan.previous_tag.clone(),
        previous_slot: plan.previous_slot,
        phase: Phase::Starting,
        rollback: intent.rollback,
        exclusive: survey.exclusive.clone(),
        drain_seconds: intent.drain.as_secs(),
        hold_seconds: intent.hold.as_secs(),
        hold_until_at: None,
        reverted_by: None,
        head: survey.head.clone(),
        pre_release_set: upstream_set(run),
    }
}

/// Starts the report of a swap.
pub(crate) fn report(pending: &Pending) -> Swapped {
    Swapped {
        tag: pending.tag.clone(),
        slot: pending.slot,
        previous_tag: pending.previous_tag.clone(),
        previous_slot: pending.previous_slot,
        live: None,
        images: Vec::new(),
        head: pending.head.clone(),
        pre_release_set: pending.pre_release_set.clone(),
        booted: false,
        steps: Vec::new(),
        receipt: None,
        watch: None,
        stopped: false,
        phases: Vec::new(),
    }
}

/// Returns the set that the chain made before this release.
pub(crate) fn upstream_set(run: &Run) -> Option<Id> {
    let record = run.upstream.as_ref()?.last("backup")?;
    record.data.as_ref()?.get("set")?.as_str()?.parse().ok()
}
