//! The beginning of a release: the lock, what a dead run left, the gates, the journal.

use std::time::Instant;

use th_cli::{Outcome, Run};
use th_config::Mode;
use th_docker::Docker;
use th_record::Id;
use th_record::kind::{Slot, SwapPlan, Swapped};

use super::ahead::{self, Ahead};
use super::asked::Asked;
use super::{Intent, Release};
use crate::access_log::AccessLog;
use crate::analysis::Sample;
use crate::compose::{self, Compose};
use crate::context::Context;
use crate::front::Front;
use crate::pending::{Pending, Phase};
use crate::plan::{self, Observed, Wanted};
use crate::schema::Schema;
use crate::turn::Turn;
use crate::{Error, preflight, recover, reload, silence, summary};

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
        if context.slots.mode == Mode::Lanes && !context.lanes.dir().is_dir() {
            return Err(Error::NotLaid(context.lanes.dir().to_owned()));
        }
        if context.slots.mode == Mode::Reload {
            reload::check(context)?;
        }
        if turn.is_some() {
            ahead::check(context, run, &docker, &compose, intent)?;
            recover::recover(context, run, &docker, &compose).map_err(recover::blocked)?;
        }
        let Ahead {
            first,
            live,
            live_tag,
            led,
        } = Ahead::look(context)?;
        let slot = live.map_or(Slot::Blue, Slot::other);
        let Asked {
            config,
            schema,
            findings,
        } = Asked::at_once(context, run.cancel(), &compose, slot, intent);
        let images = compose::images(&config?);
        check_services(context, &images, &intent.exclusive)?;
        let front = Front::of(context)?;
        if front.is_none() {
            run.warn("slots.nginx.front is not set: nothing is asked through the web server, so there is no receipt");
        }
        match &findings {
            Ok(findings) => findings.iter().for_each(|finding| run.warn(finding)),
            Err(error) => run.warn(format!("the set-up was not looked over: {error}")),
        }
        let mut schema = match schema {
            Ok(schema) => schema,
            Err(error) => {
                run.warn(format!(
                    "the database was not asked for its migration head: {error}"
                ));
                None
            }
        };
        let seen = Observed {
            other_images: preflight::other_images(&docker, &intent.images)?,
            ..preflight::observe(
                context,
                run,
                &docker,
                schema.as_mut(),
                // Until it is, nginx may serve both.
                front.as_ref().filter(|_| led),
                live,
                &images,
            )?
        };
        let previous_tag = match (live_tag, live) {
            (Some(tag), _) => Some(tag),
            (None, Some(live)) => running_tag(context, &docker, live)?,
            (None, None) => None,
        };
        let wanted = Wanted {
            tag: &intent.tag,
            slot,
            previous_tag: previous_tag.as_deref(),
            previous_slot: live,
            exclusive: &intent.exclusive,
            shares: &intent.shares,
            hold_seconds: intent.hold.as_secs(),
        };
        let mut plan = plan::release(wanted, &seen);
        let Some(turn) = turn else {
            plan.steps.splice(0..0, first);
            return Ok(Begun::Plan(Outcome::plan(
                "swap_plan",
                &plan,
                summary::plan(&plan),
            )));
        };
        if let Some(refusal) = plan::refusal(&plan) {
            return Err(refusal);
        }
        let head = schema
            .as_mut()
            .and_then(|schema| schema.head().ok().flatten());
        let log = AccessLog::of(context)?;
        let pending = pending(run, intent, &plan, head);
        run.took("preflight", began.elapsed().as_secs_f64());
        pending.write(&context.state)?;
        let seconds = (intent.ready + intent.drain + intent.hold).as_secs() + 60;
        let reason = format!("release of {}", intent.tag);
        silence::keep(context, run, reason, seconds).or_else(|error| {
            // Nothing is started yet.
            Pending::clear(&context.state).inspect_err(|_| run.changed())?;
            Err(error)
        })?;
        let services = images.iter().map(|(service, _)| service.clone());
        Ok(Begun::Release(Box::new(Self {
            report: report(&pending),
            services: services
                .filter(|service| !intent.exclusive.contains(service))
                .collect(),
            context,
            run,
            docker,
            compose,
            front,
            pending,
            turn,
            schema,
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

/// Returns the tag that runs in `slot`, for one that was not released with this tool.
fn running_tag(context: &Context, docker: &Docker, slot: Slot) -> Result<Option<String>, Error> {
    let images = super::images(docker, context, slot)?;
    let tag = images.first().and_then(|image| image.name.rsplit_once(':'));
    Ok(tag.map(|(_, tag)| tag.to_owned()))
}

/// Every service of the settings must be in the compose file.
pub(super) fn check_services(
    context: &Context,
    images: &[(String, String)],
    exclusive: &[String],
) -> Result<(), Error> {
    let services = context.slots.services.iter().map(|service| &service.name);
    let unknown = services
        .chain(exclusive)
        .find(|name| !images.iter().any(|(known, _)| known == *name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(Error::Setting(format!(
            "'{}' has no service '{name}' with an image",
            context.slots.compose.display()
        ))),
    }
}

fn pending(run: &Run, intent: &Intent, plan: &SwapPlan, head: Option<String>) -> Pending {
    Pending {
        run: run.id.clone(),
        tag: plan.tag.clone(),
        slot: plan.slot,
        previous_tag: plan.previous_tag.clone(),
        previous_slot: plan.previous_slot,
        phase: Phase::Starting,
        rollback: intent.rollback,
        exclusive: intent.exclusive.clone(),
        drain_seconds: intent.drain.as_secs(),
        hold_seconds: intent.hold.as_secs(),
        hold_until_at: None,
        switched_at: None,
        reverted_by: None,
        head,
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
