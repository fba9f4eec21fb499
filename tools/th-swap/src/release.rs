//! A release on its way: what it holds, what it journals, and how it ends or is taken back.

mod ahead;
mod asked;
mod begin;
mod head;
mod hold;
mod intent;
mod remember;
mod survey;
mod switch;
mod take_back;

use th_cli::{Outcome, Run};
use th_config::Service;
use th_docker::Docker;
use th_record::Image;
use th_record::kind::{Slot, Swapped};

use crate::access_log::AccessLog;
use crate::analysis::Sample;
use crate::compose::Compose;
use crate::context::Context;
use crate::front::Front;
use crate::pending::{Pending, Phase};
use crate::receipt::Clients;
use crate::schema::Schema;
use crate::turn::Turn;
use crate::{Error, boot, engine, summary, traffic};

pub(crate) use ahead::check as check_ahead;
pub(crate) use begin::{Begun, report, upstream_set};
pub(crate) use intent::Intent;
pub(crate) use remember::remember;
pub(crate) use take_back::{empty_slot, forget};

/// A release, or the way back to one, that has begun.
pub(crate) struct Release<'a> {
    pub(crate) context: &'a Context,
    pub(crate) run: &'a mut Run,
    pub(crate) docker: Docker,
    pub(crate) compose: Compose,
    pub(crate) front: Option<Front>,
    pub(crate) pending: Pending,
    pub(crate) report: Swapped,
    turn: Turn,
    schema: Option<Schema>,
    /// The services of the compose file that run in both slots.
    services: Vec<String>,
    /// Probes in a row that must succeed.
    probes: u32,
    ready_seconds: u64,
    clients: Option<Clients>,
    /// The access log, and what it says of the old slot before the switch.
    log: Option<AccessLog>,
    before: Sample,
}

impl Release<'_> {
    /// Does `work`, and takes everything back if it fails.
    pub(crate) fn end(
        mut self,
        work: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        let result = work(&mut self);
        self.clients = None;
        let failure = match result {
            Ok(()) => None,
            Err(error) => Some(self.take_back(error)),
        };
        self.report.live = traffic::live(self.context).unwrap_or_default();
        self.report.phases = self.run.take_phases();
        let outcome =
            Outcome::done("swapped", &self.report, summary::swapped(&self.report)).changed();
        Ok(match failure {
            None => outcome,
            Some(failure) => outcome.but(failure.kind, failure.message, failure.hint),
        })
    }

    /// Notes that `phase` begins.
    pub(crate) fn enter(&mut self, phase: Phase) -> Result<(), Error> {
        self.pending.enter(&self.context.state, phase)
    }

    /// Starts the slot and waits until it is healthy and says the right tag.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn boot(&mut self) -> Result<(), Error> {
        let (slot, tag) = (self.pending.slot, self.pending.tag.clone());
        let mut compose = self.compose.until(self.run.cancel());
        if self.pending.exclusive.is_empty() {
            compose = compose.with_dependencies();
        }
        let (services, exclusive) = (self.services.clone(), &self.pending.exclusive);
        let (context, docker) = (self.context, self.docker.clone());
        let patience = std::time::Duration::from_secs(self.ready_seconds);
        let probes = self.probes;
        let report = &mut self.report;
        let _shown = self.run.waiting(&format!("starting {slot} with {tag}"));
        // All of it: an engine that comes back may have started the slot anew.
        report.images = engine::steadily(self.run, &docker, |run| {
            run.phase("start", |run| {
                engine::up(run, &docker, &compose, slot, &tag, &services)
            })?;
            run.done(format!("started {slot} with {tag}"));
            report.booted = true;
            run.phase("ready", |run| {
                boot::wait_healthy(context, run, &docker, slot, exclusive, probes, patience)
            })?;
            boot::check_version(context, slot, &tag)?;
            images(&docker, context, slot)
        })?;
        self.run.done(format!("probed {slot}"));
        Ok(())
    }
}

/// Returns the images that the services of `slot` run with.
pub(crate) fn images(docker: &Docker, context: &Context, slot: Slot) -> Result<Vec<Image>, Error> {
    let members = docker.project(&context.project(slot))?;
    let wanted =
        |Service { name, .. }: &Service| members.iter().find(|member| member.service == *name);
    let found = context.slots.services.iter().filter_map(wanted);
    found
        .map(|member| {
            let container = &member.container;
            Ok(Image {
                name: container.image_name.clone(),
                id: container.image_id.clone(),
                digest: docker.image_digest(&container.image_id)?,
            })
        })
        .collect()
}
