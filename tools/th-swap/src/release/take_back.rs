//! Taking a swap back: the traffic first, then the slot that was to get it.

use std::time::Duration;

use th_cli::Run;
use th_docker::{Docker, Member};
use th_record::kind::Slot;
use th_record::{ErrorKind, Failure};

use super::{Release, hold};
use crate::compose::Compose;
use crate::context::Context;
use crate::pending::Pending;
use crate::releases::Releases;
use crate::{Error, drain, engine, recover};

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
            let (slot, previous) = (self.pending.slot, self.pending.previous_slot);
            failure.hint = Some(match previous {
                Some(previous) if recover::is_back(self.context, &self.pending) => {
                    format!("{previous} has the traffic again; th-swap resume stops {slot}")
                }
                _ => format!(
                    "{slot} has the traffic; th-swap resume goes on, th-swap rollback{to} goes back"
                ),
            });
            return failure;
        }
        let cancelled = matches!(error, Error::Cancelled);
        let (docker, compose) = (&self.docker, &self.compose);
        let undone = recover::take_back(self.context, self.run, docker, compose, &mut self.pending);
        let mut failure = match undone {
            Ok(cut) => {
                self.report.stopped = true;
                if let Some(receipt) = &mut self.report.receipt {
                    receipt.cut = cut;
                }
                Failure::of(&Error::RolledBack(Box::new(error)))
            }
            Err(second) => {
                self.run.warn(format!(
                    "what went wrong first: {}",
                    Failure::of(&error).message
                ));
                Failure::of(&recover::blocked(second))
            }
        };
        if cancelled && failure.kind == ErrorKind::RolledBack {
            // The frame makes of this the signal that it was.
            failure.kind = ErrorKind::Interrupted;
            failure.exit = failure.kind.exit().code();
        }
        failure
    }
}

/// Forgets that the release of `pending` had the traffic.
pub(crate) fn forget(context: &Context, pending: &Pending) -> Result<(), Error> {
    let mut releases = Releases::read(&context.state)?;
    if releases.withdraw(&pending.run, &pending.tag, pending.slot) {
        releases.write(&context.state)?;
    }
    Ok(())
}

/// Waits at most `limit` until nobody is on `slot` any more, whatever signal comes, and stops it.
/// Returns how many connections that cut, if it can be told.
pub(crate) fn empty_slot(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
    slot: Slot,
    tag: &str,
    limit: Duration,
) -> Result<Option<u64>, Error> {
    let left = drain::wait(context, run, docker, slot, limit, None)?.left;
    if let Some(left @ 1..) = left {
        run.warn(format!("{left} connections on {slot} are cut"));
    }
    stop_slot(context, run, docker, compose, slot, tag)?;
    Ok(left)
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
    let mut running = members(run)?;
    running.retain(|member| member.container.running);
    if running.is_empty() {
        return Ok(());
    }
    engine::steadily(run, docker, |_| compose.stop(slot, tag, &[]))?;
    // Compose knows the services of the file as it is now, and leaves alone what was one before.
    for Member { container, pid, .. } in members(run)? {
        let is_it = |before: &Member| before.container.id == container.id && before.pid == pid;
        if container.running && running.iter().any(is_it) {
            engine::steadily(run, docker, |_| Ok(docker.stop(&container.id)?))?;
        }
    }
    for Member {
        container,
        exit_code,
        ..
    } in members(run)?
    {
        let name = &container.name;
        if container.running {
            return Err(Error::StillRuns(name.clone()));
        }
        let ran = running
            .iter()
            .any(|before| before.container.id == container.id);
        if exit_code == KILLED && ran {
            run.warn(format!(
                "'{name}' did not stop within its grace period and was killed: \
                 see stop_grace_period, and whether its command is in exec form"
            ));
        }
    }
    Ok(())
}
