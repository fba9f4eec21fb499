//! After the switch: the old slot drains, is kept warm while the new one is watched, and stops.

use std::time::{Duration, Instant};

use chrono::Utc;
use th_record::ErrorKind;

use super::head::Head;
use super::{Release, take_back};
use crate::pending::{Pending, Phase};
use crate::releases::Releases;
use crate::watch::{self, Ended, Mark};
use crate::{Error, boot, drain, engine, recover, silence};

impl Release<'_> {
    /// Drains the old slot, keeps it warm and watches, and stops it.
    ///
    /// # Errors
    /// Why the traffic has to go back, or went.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        self.enter(Phase::Draining)?;
        self.drain()?;
        let held = (self.pending.previous_slot).filter(|_| self.pending.hold_seconds > 0);
        let (schema, cancel) = (self.schema.take(), self.run.cancel());
        let head = Head::ask(self.context, cancel, schema, held.is_some());
        if let Some(old) = held
            && !self.hold()?
        {
            self.run
                .warn(format!("another swap ended the hold, and took {old} over"));
            return Ok(());
        }
        self.retire(head)
    }

    fn drain(&mut self) -> Result<(), Error> {
        let Some(old) = self.pending.previous_slot else {
            return self.finish_receipt();
        };
        let limit = Duration::from_secs(self.pending.drain_seconds);
        let (context, docker) = (self.context, self.docker.clone());
        let cancel = self.run.cancel();
        let _shown = self.run.waiting(&format!("draining {old}"));
        let drained = self.run.phase("drain", |run| {
            drain::wait(context, run, &docker, old, limit, Some(&cancel))
        });
        // What users met counts first, whatever became of the drain.
        self.finish_receipt()?;
        let drained = drained?;
        if let Some(receipt) = &mut self.report.receipt {
            receipt.drain_seconds = drained.seconds;
        }
        if self.run.cancelled() {
            return Err(Error::Cancelled);
        }
        match drained.left {
            Some(0) => self.run.done(format!("drained {old}")),
            Some(left) => self.run.warn(format!(
                "{left} connections are still on {old} after {} s",
                limit.as_secs()
            )),
            None => self.run.warn(format!(
                "it is not known how many connections are still on {old} after {} s",
                limit.as_secs()
            )),
        }
        Ok(())
    }

    fn finish_receipt(&mut self) -> Result<(), Error> {
        let Some(clients) = self.clients.take() else {
            return Ok(());
        };
        let astray = clients.astray();
        self.judge(clients.finish())?;
        match astray {
            Some(after) => Err(Error::NotServed {
                slot: self.pending.slot,
                seconds: after.as_secs(),
            }),
            None => Ok(()),
        }
    }

    /// Lets go of the lock and watches. Tells whether the old slot is still this swap's to stop.
    fn hold(&mut self) -> Result<bool, Error> {
        let hold = Duration::from_secs(self.pending.hold_seconds);
        let until = (self.pending.hold_until_at).unwrap_or_else(|| Utc::now() + hold);
        self.pending.hold_until_at = Some(until);
        self.enter(Phase::Holding)?;
        let mut watching = Mark::of(&self.context.state)?;
        if let Err(error) = self.turn.give() {
            self.run
                .warn(format!("the lock is held during the hold: {error}"));
        }
        let started = Instant::now();
        let _shown = self.run.waiting(&format!("watching {}", self.pending.slot));
        let ended = watch::watch(watch::Subject {
            context: self.context,
            run: self.run,
            docker: &self.docker,
            front: self.front.as_ref(),
            log: self.log.as_mut(),
            before: &self.before,
            pending: &self.pending,
            until,
            mark: &mut watching,
            turn: &mut self.turn,
        });
        self.run.took("hold", started.elapsed().as_secs_f64());
        let (seen, ended) = ended?;
        self.report.watch = Some(seen);
        let (worse, patience) = match ended {
            Ended::Worse(why) => (Some(Error::Worse(why)), watch::PATIENCE),
            // The watch has it, or has waited for it long enough.
            Ended::InTime => (None, Duration::ZERO),
            Ended::Elsewhere => (None, watch::PATIENCE),
            Ended::Cancelled => return Err(Error::Cancelled),
        };
        self.retake(worse.is_some(), patience)?;
        drop(watching);
        match Pending::read(&self.context.state)? {
            Some(now)
                if now.is(&self.pending)
                    && (matches!(now.phase, Phase::Reverting | Phase::Reverted)
                        || recover::is_back(self.context, &now)) =>
            {
                let by = now
                    .reverted_by
                    .clone()
                    .unwrap_or_else(|| "another run".to_owned());
                self.pending = now;
                Err(Error::TakenBack(by))
            }
            Some(now) if now.is(&self.pending) && now.phase == Phase::Holding => {
                worse.map_or(Ok(true), Err)
            }
            _ => Ok(false),
        }
    }

    /// Takes the lock again. To lead the traffic back, a lock of another tool is not waited for.
    fn retake(&mut self, urgent: bool, patience: Duration) -> Result<(), Error> {
        let state = &self.context.state;
        if !urgent {
            return self.turn.retake(state, self.run, patience);
        }
        let taken = (self.turn).retake_or_do_without(state, self.run, take_back::PATIENCE);
        taken.or_else(|_| self.turn.retake(state, self.run, patience))
    }

    /// Stops the old slot, unless it is the better one. What else goes wrong here leaves the traffic
    /// where it is.
    fn retire(&mut self, head: Head) -> Result<(), Error> {
        let (slot, previous) = (self.pending.slot, self.pending.previous_slot);
        if let Some(why) = previous.and_then(|old| boot::worse(self.context, slot, old)) {
            return Err(Error::Worse(why));
        }
        let state = &self.context.state;
        if let Some(head) = head.last() {
            let mut releases = Releases::read(state)?;
            if releases.see(head.as_deref()) {
                releases.write(state)?;
            }
        }
        if let Some(old) = self.pending.previous_slot {
            self.enter(Phase::Retiring)?;
            let project = self.context.project(old);
            let members = engine::steadily(self.run, &self.docker, |_| {
                Ok(self.docker.project(&project)?)
            })?;
            let left = drain::count(self.context, old, &members);
            if let Some(receipt) = &mut self.report.receipt {
                receipt.cut = left;
            }
            if let Some(left @ 1..) = left {
                self.run
                    .warn(format!("{left} connections on {old} are cut"));
            }
            let tag = self.pending.previous_tag.clone().unwrap_or_default();
            let (context, docker, compose) =
                (self.context, self.docker.clone(), self.compose.clone());
            let stopped = self.run.phase("stop", |run| {
                take_back::stop_slot(context, run, &docker, &compose, old, &tag)
            });
            stopped.map_err(|error| Error::NotStopped(old, Box::new(error)))?;
            self.report.stopped = true;
            self.run.done(format!("stopped {old}"));
        }
        Pending::clear(state)?;
        silence::end(self.context)
    }
}

/// Returns the kind of an error that leaves the traffic on the new slot, where it belongs.
pub(super) fn leaves_traffic(error: &Error, phase: Phase) -> Option<ErrorKind> {
    match (error, phase) {
        (Error::NotStopped(..), _) => Some(ErrorKind::Partial),
        (Error::Cancelled, Phase::Draining | Phase::Holding) => Some(ErrorKind::Interrupted),
        // The disk, the engine or the lock, and not the release.
        (
            Error::State(_) | Error::Docker(_) | Error::Io { .. },
            Phase::Holding | Phase::Retiring,
        )
        | (Error::Docker(_), Phase::Draining) => Some(ErrorKind::Partial),
        _ => None,
    }
}
