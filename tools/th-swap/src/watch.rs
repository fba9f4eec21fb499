//! The watch over a new slot while the old one is warm.

mod mark;
mod outage;
mod probes;

use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use th_cli::Run;
use th_docker::Docker;
use th_record::kind::{CanaryVerdict, Slot, Watch};

use crate::access_log::AccessLog;
use crate::analysis::{self, Sample};
use crate::context::Context;
use crate::front::Front;
use crate::pending::{Pending, Phase};
use crate::turn::Turn;
use crate::watch::outage::Outage;
use crate::watch::probes::Probes;
use crate::{Error, boot, recover};

pub(crate) use mark::{Mark, is_marked};

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// How often something is asked.
const ASK: Duration = Duration::from_millis(500);
/// How often the containers are looked at.
const CONTAINERS: Duration = Duration::from_secs(1);
/// How often the access log is judged.
const JUDGE: Duration = Duration::from_secs(10);
/// How long the end of the hold waits for a lock that another tool holds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// Why the watch ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The hold is over, the new slot is well, and the lock is had, or was waited for in vain.
    InTime,
    /// The new slot is worse, and why.
    Worse(String),
    /// Another run has done something about this swap.
    Elsewhere,
    /// SIGINT or SIGTERM.
    Cancelled,
}

/// What is watched.
pub(crate) struct Subject<'a> {
    pub(crate) context: &'a Context,
    pub(crate) run: &'a mut Run,
    pub(crate) docker: &'a Docker,
    pub(crate) front: Option<&'a Front>,
    pub(crate) log: Option<&'a mut AccessLog>,
    /// What the access log said of the old slot.
    pub(crate) before: &'a Sample,
    pub(crate) pending: &'a Pending,
    pub(crate) until: DateTime<Utc>,
    pub(crate) mark: &'a mut Mark,
    /// To be taken again at the end. Until it is had, the old slot cannot be stopped, and is worth
    /// watching for.
    pub(crate) turn: &'a mut Turn,
}

/// Watches until the hold is over, or something ends it.
pub(crate) fn watch(mut subject: Subject<'_>) -> Result<(Watch, Ended), Error> {
    let start = Instant::now();
    let mut eyes = Eyes::open(&subject);
    let mut outage = Outage::default();
    let (context, new, old) = (
        subject.context,
        subject.pending.slot,
        subject.pending.previous_slot,
    );
    let answers = |slot: Option<Slot>| slot.is_some_and(|slot| boot::answers(context, slot));
    let is_well = |slot: Option<Slot>| slot.is_some_and(|slot| boot::probe(context, slot).is_ok());
    let mut waits = None;
    let ended = loop {
        subject.mark.set();
        // Also when the time was over before the first look, as after a reboot.
        if Utc::now() >= subject.until
            && eyes.probes.are_good()
            && may_end(&mut subject, &mut waits)
        {
            break Ended::InTime;
        }
        if subject.run.cancelled() {
            break Ended::Cancelled;
        }
        match eyes.look(&mut subject)? {
            Some(Ended::Worse(why)) => {
                // The old slot is no better behind a web server that is down.
                let is_better =
                    is_well(old) && !(eyes.probes.front_is_down() && is_well(Some(new)));
                let now = Instant::now();
                if !outage.excuses(is_better, || answers(old), now) {
                    break Ended::Worse(why);
                }
                if outage.is_long(now) {
                    subject.run.warn(format!(
                        "{new} keeps the traffic, for the old slot does not answer: {why}"
                    ));
                }
            }
            Some(ended) => break ended,
            None => {
                outage.pass(|| !eyes.probes.front_is_down() && is_well(Some(new)) && is_well(old))
            }
        }
        thread::sleep(LOOK);
    };
    let mut seen = eyes.seen;
    seen.duration_seconds = start.elapsed().as_secs_f64();
    seen.ended_by = match &ended {
        Ended::InTime => None,
        Ended::Worse(why) => Some(why.clone()),
        Ended::Elsewhere => Some("another run".to_owned()),
        Ended::Cancelled => Some("a signal".to_owned()),
    };
    Ok((seen, ended))
}

/// Tells whether the lock is had again, or was waited for long enough.
fn may_end(subject: &mut Subject<'_>, waits: &mut Option<Instant>) -> bool {
    let since = *waits.get_or_insert_with(Instant::now);
    let state = &subject.context.state;
    match subject.turn.retake(state, subject.run, Duration::ZERO) {
        Err(Error::State(th_state::Error::Locked { .. })) => since.elapsed() >= PATIENCE,
        _ => true,
    }
}

/// What looks, and what it saw.
struct Eyes {
    seen: Watch,
    sample: Sample,
    probes: Probes,
    // When each look is due next.
    ask: Instant,
    containers: Instant,
    judge: Instant,
}

impl Eyes {
    fn open(subject: &Subject<'_>) -> Self {
        let now = Instant::now();
        let count = subject.log.as_ref().map(|_| 0);
        Self {
            seen: Watch {
                served: count,
                errors: count,
                ..Watch::default()
            },
            sample: Sample::default(),
            probes: Probes::new(subject.front),
            ask: now,
            containers: now + CONTAINERS,
            judge: now + JUDGE,
        }
    }

    /// Does all looks that are due.
    fn look(&mut self, subject: &mut Subject<'_>) -> Result<Option<Ended>, Error> {
        match Pending::read(&subject.context.state)? {
            Some(now)
                if now.is(subject.pending)
                    && now.phase == Phase::Holding
                    && !recover::is_back(subject.context, &now) => {}
            _ => return Ok(Some(Ended::Elsewhere)),
        }
        if due(&mut self.containers, CONTAINERS)
            && let Err(error) = boot::refuse_dead(
                subject.context,
                subject.docker,
                subject.pending.slot,
                &subject.pending.exclusive,
                true,
            )
        {
            return Ok(Some(Ended::Worse(error.to_string())));
        }
        if due(&mut self.ask, ASK) {
            let (failed, why) = self.probes.ask(subject);
            self.seen.requests += 1;
            self.seen.failed += u64::from(failed);
            if let Some(why) = why {
                return Ok(Some(Ended::Worse(why)));
            }
        }
        Ok(self.judge(subject)?.map(Ended::Worse))
    }

    /// Judges what the access log says of users' requests.
    fn judge(&mut self, subject: &mut Subject<'_>) -> Result<Option<String>, Error> {
        let Some(log) = &mut subject.log else {
            return Ok(None);
        };
        let (slot, sample) = (subject.pending.slot, &mut self.sample);
        log.read(|entry| {
            if entry.slot.is_none_or(|answered| answered == slot) {
                sample.add(entry);
            }
        })?;
        self.seen.served = Some(self.sample.requests);
        self.seen.errors = Some(self.sample.errors);
        if !due(&mut self.judge, JUDGE) {
            return Ok(None);
        }
        Ok(match analysis::judge(&self.sample, subject.before) {
            (CanaryVerdict::Bad, why) => Some(why.unwrap_or_default()),
            (CanaryVerdict::Good | CanaryVerdict::Inconclusive, _) => None,
        })
    }
}

/// Tells whether `next` has come, and if so, moves it on by `every`.
fn due(next: &mut Instant, every: Duration) -> bool {
    let now = Instant::now();
    let due = now >= *next;
    if due {
        *next = now + every;
    }
    due
}
