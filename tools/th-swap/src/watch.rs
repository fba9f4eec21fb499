//! The watch over a new slot while the old one is warm.

mod outage;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};
use th_cli::Run;
use th_docker::Docker;
use th_record::kind::{CanaryVerdict, Slot, Watch};
use th_state::State;

use crate::access_log::AccessLog;
use crate::analysis::{self, Sample};
use crate::context::Context;
use crate::front::Front;
use crate::http::Client;
use crate::pending::{Pending, Phase};
use crate::schema::{self, Schema};
use crate::watch::outage::Outage;
use crate::{Error, boot, recover};

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// How often the web server is asked.
const ASK: Duration = Duration::from_millis(500);
/// How often the containers are looked at.
const CONTAINERS: Duration = Duration::from_secs(1);
/// How often the database is asked for its head, and is connected to again when it does not answer.
const HEAD: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(10);
/// How often the access log is judged.
const JUDGE: Duration = Duration::from_secs(10);
/// So many failures in a row are no accident.
const FAILURES: u32 = 3;

/// The file whose lock says that a process watches.
const FILE: &str = "hold";

/// Why the watch ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The hold is over.
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
    pub(crate) schema: &'a mut Option<Schema>,
    pub(crate) log: Option<&'a mut AccessLog>,
    /// What the access log said of the old slot.
    pub(crate) before: &'a Sample,
    pub(crate) pending: &'a Pending,
    pub(crate) until: DateTime<Utc>,
}

/// Marks that a process watches, until the file is dropped or the process dies.
pub(crate) fn mark(state: &State) -> Result<File, Error> {
    let file = open(state)?;
    // If another one has it, that one is about to see that the swap is not its any more.
    let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
    Ok(file)
}

/// Tells whether a process watches.
pub(crate) fn is_marked(state: &State) -> Result<bool, Error> {
    if !state.path(FILE).exists() {
        return Ok(false);
    }
    let locked = flock(&open(state)?, FlockOperation::NonBlockingLockShared);
    Ok(locked == Err(rustix::io::Errno::WOULDBLOCK))
}

fn open(state: &State) -> Result<File, Error> {
    let path = state.path(FILE);
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(Error::io(&path))
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
    let is_well = |slot: Option<Slot>| slot.is_some_and(|slot| boot::probe(context, slot).is_ok());
    let ended = loop {
        if Utc::now() >= subject.until {
            break Ended::InTime;
        }
        if subject.run.cancelled() {
            break Ended::Cancelled;
        }
        match eyes.look(&mut subject)? {
            Some(Ended::Worse(_)) if outage.excuses(is_well(old), Instant::now()) => {}
            Some(ended) => break ended,
            None => outage.pass(|| is_well(Some(new)) && is_well(old)),
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

/// What looks, and what it saw.
struct Eyes {
    seen: Watch,
    sample: Sample,
    client: Option<Client>,
    in_a_row: u32,
    asked: Instant,
    containers: Instant,
    /// When the head is asked for next.
    head: Instant,
    judged: Instant,
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
            client: subject.front.map(Front::kept_alive),
            in_a_row: 0,
            asked: now,
            containers: now,
            head: now,
            judged: now,
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
            )
        {
            return Ok(Some(Ended::Worse(error.to_string())));
        }
        if due(&mut self.asked, ASK)
            && let Some(why) = self.ask(subject)
        {
            return Ok(Some(Ended::Worse(why)));
        }
        if Instant::now() >= self.head {
            let pause = see_head(subject);
            self.head = Instant::now() + pause;
        }
        Ok(self.judge(subject)?.map(Ended::Worse))
    }

    /// Asks as a user does; says why that is enough to go back.
    fn ask(&mut self, subject: &Subject<'_>) -> Option<String> {
        let post = self.seen.requests % 2 == 1;
        let failure = match (subject.front, &mut self.client) {
            (Some(front), Some(client)) => match front.ask(client, self.seen.requests, post) {
                Ok(answer) if answer.is_good() => None,
                Ok(answer) => Some(format!("status {}", answer.status)),
                Err(error) => Some(error.to_string()),
            },
            _ => boot::probe(subject.context, subject.pending.slot).err(),
        };
        self.seen.requests += 1;
        let Some(failure) = failure else {
            self.in_a_row = 0;
            return None;
        };
        self.seen.failed += 1;
        self.in_a_row += 1;
        (self.in_a_row >= FAILURES).then(|| format!("{FAILURES} probes in a row failed: {failure}"))
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
        if !due(&mut self.judged, JUDGE) {
            return Ok(None);
        }
        Ok(match analysis::judge(&self.sample, subject.before) {
            (CanaryVerdict::Bad, why) => Some(why.unwrap_or_default()),
            (CanaryVerdict::Good | CanaryVerdict::Inconclusive, _) => None,
        })
    }
}

/// Tells whether `every` has passed since `last`, and if so, starts anew.
fn due(last: &mut Instant, every: Duration) -> bool {
    let due = last.elapsed() >= every;
    if due {
        *last = Instant::now();
    }
    due
}

/// Notes the database's head, for a rollback that has no time to ask, and tells when to ask again. A
/// database that does not answer is seen by the probes, and a full disk is no fault of the release.
fn see_head(subject: &mut Subject<'_>) -> Duration {
    if subject.schema.is_none() {
        let connected = Schema::connect(subject.context, subject.run.cancel());
        *subject.schema = connected.unwrap_or_default();
    }
    match subject.schema.as_mut().map(Schema::head) {
        Some(Ok(head)) => {
            let _ = schema::note(subject.context, head);
            HEAD
        }
        // A session that broke does not mend, as when the server was restarted.
        Some(Err(_)) => {
            *subject.schema = None;
            HEAD
        }
        None => CONNECT,
    }
}
