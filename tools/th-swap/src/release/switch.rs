//! The switch itself, and the proof that it lost nothing.

use std::thread;
use std::time::{Duration, Instant};

use th_record::kind::Receipt;

use super::{Release, remember};
use crate::pending::{Pending, Phase};
use crate::receipt::Clients;
use crate::{Error, boot, engine, traffic};

/// How long the clients ask before and after the switch.
const BEFORE: Duration = Duration::from_millis(200);
const AFTER: Duration = Duration::from_millis(500);

/// How long nginx may take to serve the new slot.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many users for each lane must be served by it in a row: some lanes may lead elsewhere.
const USERS_OF_A_LANE: u64 = 2;

/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(5);

/// How long an exclusive service is looked at: what cannot work ends within that, as a rule. The old
/// one is still at hand.
const LIVE: Duration = Duration::from_secs(2);
const LOOK_ALIVE: Duration = Duration::from_millis(250);

impl Release<'_> {
    /// Moves all of the traffic, with the tool's own clients across it, and notes that the release
    /// has it.
    ///
    /// # Errors
    /// [`Error::Lost`] when a request failed, [`Error::NotServed`] when nginx goes on serving the
    /// old slot.
    pub(crate) fn switch(&mut self) -> Result<(), Error> {
        engine::steadily(self.run, &self.docker, |_| {
            let Pending {
                slot, exclusive, ..
            } = &self.pending;
            boot::check_alive(self.context, &self.docker, *slot, exclusive, false)
        })?;
        self.before()?;
        if let (Some(log), before) = (&mut self.log, &mut self.before) {
            // In a canary, the new slot has had some of the traffic.
            let old = self.pending.slot.other();
            log.read(|entry| {
                if entry.slot == Some(old) {
                    before.add(entry);
                }
            })?;
        }
        self.enter(Phase::Switching)?;
        self.stop_exclusive()?;
        let began = Instant::now();
        self.give()?;
        self.run
            .done(format!("led the traffic to {}", self.pending.slot));
        self.after(AFTER)?;
        self.run.took("switch", began.elapsed().as_secs_f64());
        self.start_exclusive()?;
        engine::steadily(self.run, &self.docker, |_| {
            remember(self.context, &self.docker, &self.pending, &self.report)
        })
    }

    /// Starts the clients, if the old slot is fit to answer them.
    fn before(&mut self) -> Result<(), Error> {
        let Some(front) = &self.front else {
            return Ok(());
        };
        let healthy = |slot| boot::probe(self.context, slot).is_ok();
        if self.pending.previous_slot.is_some_and(healthy) {
            self.clients = Some(Clients::start(front));
            thread::sleep(BEFORE);
            self.check_receipt()?;
        } else if let Some(old) = self.pending.previous_slot {
            self.run.warn(format!(
                "{old} is not healthy: only what comes after the switch is counted"
            ));
        }
        Ok(())
    }

    fn give(&mut self) -> Result<(), Error> {
        let slot = self.pending.slot;
        if let Some(clients) = &self.clients {
            clients.switch_to(slot);
        }
        let began = Instant::now();
        traffic::give(self.context, self.run, slot)?;
        self.run.took("repoint", began.elapsed().as_secs_f64());
        if self.clients.is_none()
            && let Some(front) = &self.front
        {
            let clients = Clients::start(front);
            clients.switch_to(slot);
            self.clients = Some(clients);
        }
        Ok(())
    }

    /// Waits until every client is served by the new slot, and for `settle` at least.
    fn after(&mut self, settle: Duration) -> Result<(), Error> {
        let Some(clients) = &self.clients else {
            return Ok(());
        };
        let (slot, start) = (self.pending.slot, Instant::now());
        let users = USERS_OF_A_LANE * u64::from(self.context.slots.lanes);
        while start.elapsed() < settle || clients.all_see_in_a_row(slot, users) == Some(false) {
            if clients.receipt().failed > 0 {
                break;
            }
            if start.elapsed() >= PATIENCE {
                self.report.receipt = Some(clients.receipt());
                return Err(Error::NotServed {
                    slot,
                    seconds: PATIENCE.as_secs(),
                });
            }
            if self.run.cancelled() {
                return Err(Error::Cancelled);
            }
            thread::sleep(LOOK);
        }
        clients.settle();
        if clients.all_see(slot).is_none() {
            self.run
                .warn("answers do not name their slot (X-Th-Slot): it is not known who gave them");
        }
        self.check_receipt()
    }

    /// Checks what the clients have counted so far.
    fn check_receipt(&mut self) -> Result<(), Error> {
        match &self.clients {
            Some(clients) => {
                let receipt = clients.receipt();
                self.judge(receipt)
            }
            None => Ok(()),
        }
    }

    /// One failed request is one too many.
    pub(super) fn judge(&mut self, receipt: Receipt) -> Result<(), Error> {
        let failed = (receipt.failed > 0).then(|| Error::Lost {
            failed: receipt.failed,
            requests: receipt.requests,
            first: receipt.failures.first().cloned().unwrap_or_default(),
        });
        self.report.receipt = Some(receipt);
        failed.map_or(Ok(()), Err)
    }

    fn stop_exclusive(&mut self) -> Result<(), Error> {
        let names = self.pending.exclusive.clone();
        let (false, Some(old)) = (names.is_empty(), self.pending.previous_slot) else {
            return Ok(());
        };
        let tag = self.pending.previous_tag.clone().unwrap_or_default();
        let compose = self.compose.until(self.run.cancel());
        engine::steadily(self.run, &self.docker, |_| compose.stop(old, &tag, &names))?;
        self.run
            .done(format!("stopped {} of {old}", names.join(", ")));
        Ok(())
    }

    fn start_exclusive(&mut self) -> Result<(), Error> {
        let names = self.pending.exclusive.clone();
        if names.is_empty() {
            return Ok(());
        }
        let slot = self.pending.slot;
        let (context, docker) = (self.context, &self.docker);
        let compose = self.compose.until(self.run.cancel());
        engine::up(self.run, docker, &compose, slot, &self.pending.tag, &names)?;
        self.run
            .done(format!("started {} of {slot}", names.join(", ")));
        // Nothing can be asked of them: those that live on are taken for well.
        let start = Instant::now();
        while start.elapsed() < LIVE {
            boot::refuse_dead(context, docker, slot, &names, true)?;
            if self.run.cancelled() {
                return Err(Error::Cancelled);
            }
            thread::sleep(LOOK_ALIVE);
        }
        Ok(())
    }
}
