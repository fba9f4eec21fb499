//! Taking a swap back: the traffic first, then the slot that was to get it.

use std::time::Duration;

use th_cli::Run;
use th_docker::Docker;
use th_record::kind::Slot;
use th_record::{ErrorKind, Failure};

use super::{Release, hold};
use crate::compose::Compose;
use crate::context::Context;
use crate::pending::{Pending, Phase};
use crate::releases::Releases;
use crate::{Error, drain, engine, recover, silence, traffic};

/// How long a lock of another tool is waited for while users meet errors.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The status of a container that the engine had to kill.
const KILLED: i64 = 137;

impl Release<'_> {
    /// Takes back what was done, as `error` demands, and says how that ended.
    pub(super) fn take_back(&mut self, error: Error) -> Failure {
        let phase = self.pending.phase;
        if let Some(kind) = hold::leaves_traffic(&error, phase) {
            let mut failure = Failure::of(&error);
            let exit = kind.exit().code();
            (failure.kind, failure.exit) = (kind, exit);
            // Where a rollback died, `rollback` alone means that one.
            let to = match &self.pending.previous_tag {
                Some(tag) if self.pending.rollback => format!(" --to {tag}"),
                _ => String::new(),
            };
            failure.hint = Some(format!(
                "{} has the traffic; th-swap resume goes on, th-swap rollback{to} goes back",
                self.pending.slot
            ));
            return failure;
        }
        let cancelled = matches!(error, Error::Cancelled);
        let mut failure = match self.undo() {
            Ok(()) => Failure::of(&Error::RolledBack(Box::new(error))),
            Err(second) => {
                self.run.warn(format!(
                    "what went wrong first: {}",
                    Failure::of(&error).message
                ));
                Failure::of(&Error::HalfWay(Box::new(second)))
            }
        };
        if cancelled && failure.kind == ErrorKind::RolledBack {
            // The frame makes of this the signal that it was.
            failure.kind = ErrorKind::Interrupted;
            failure.exit = failure.kind.exit().code();
        }
        failure
    }

    fn undo(&mut self) -> Result<(), Error> {
        let (slot, previous) = (self.pending.slot, self.pending.previous_slot);
        let had_traffic = self.pending.phase != Phase::Starting;
        let moved = had_traffic && self.pending.phase != Phase::Reverted;
        if moved {
            // On a full disk the traffic goes back all the same: the phase before leads there too.
            self.pending
                .try_enter(&self.context.state, self.run, Phase::Reverting);
            let began = std::time::Instant::now();
            traffic::give_back(self.context, self.run, previous)?;
            self.run.took("repoint_back", began.elapsed().as_secs_f64());
            self.run.done(match previous {
                Some(previous) => format!("led the traffic back to {previous}"),
                None => format!("took the traffic from {slot}"),
            });
            if let Some(previous) = previous {
                let (docker, compose) = (&self.docker, &self.compose);
                recover::move_exclusive(self.run, docker, compose, &self.pending, previous)?;
            }
        }
        forget(self.context, &self.pending.run)?;
        self.pending
            .try_enter(&self.context.state, self.run, Phase::Reverted);
        let (context, docker, compose) = (self.context, self.docker.clone(), self.compose.clone());
        // Some of the users are still there, whoever led the traffic back.
        if had_traffic && previous.is_some() {
            let limit = Duration::from_secs(self.pending.drain_seconds);
            drain::wait(context, self.run, &docker, slot, limit)?;
        }
        let tag = self.pending.tag.clone();
        stop_slot(context, self.run, &docker, &compose, slot, &tag)?;
        self.run.done(format!("stopped {slot}"));
        self.report.stopped = true;
        Pending::clear(&self.context.state)?;
        silence::end(self.context)
    }
}

/// Forgets that the release of `run` had the traffic.
pub(crate) fn forget(context: &Context, run: &str) -> Result<(), Error> {
    let mut releases = Releases::read(&context.state)?;
    if releases.withdraw(run) {
        releases.write(&context.state)?;
    }
    Ok(())
}

/// Stops all services of `slot`, and warns of what had to be killed.
pub(crate) fn stop_slot(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
    slot: Slot,
    tag: &str,
) -> Result<(), Error> {
    let project = context.project(slot);
    let members = |run: &mut Run| engine::steadily(run, docker, |_| Ok(docker.project(&project)?));
    let running: Vec<String> = members(run)?
        .into_iter()
        .filter(|member| member.container.running)
        .map(|member| member.container.id)
        .collect();
    if running.is_empty() {
        return Ok(());
    }
    engine::steadily(run, docker, |_| compose.stop(slot, tag, &[]))?;
    for member in members(run)? {
        let name = &member.container.name;
        if member.container.running {
            return Err(Error::StillRuns(name.clone()));
        }
        if member.exit_code == KILLED && running.contains(&member.container.id) {
            run.warn(format!(
                "'{name}' did not stop within its grace period and was killed: \
                 see stop_grace_period, and whether its command is in exec form"
            ));
        }
    }
    Ok(())
}
