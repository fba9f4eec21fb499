//! A release in steps: lane after lane, each step compared with the old slot.

mod paused;
mod share;
mod source;

use std::thread;
use std::time::{Duration, Instant};

use th_cli::{Outcome, Run};
use th_config::Mode;
use th_record::ErrorKind;
use th_record::kind::{CanarySide, CanaryStep, CanaryVerdict};

use crate::analysis::{Judge, Limits, Sample, Samples};
use crate::args::{CanaryArgs, Compare, ReleaseArgs};
use crate::canary::share::Share;
use crate::canary::source::Source;
use crate::context::Context;
use crate::pending::{Pending, Phase};
use crate::release::{self, Begun, Intent, Release};
use crate::turn::Turn;
use crate::{Error, boot, engine, silence};

/// A step is compared this many times before it ends…
const COMPARISONS: u32 = 6;
/// …but not more often than this, nor more seldom than that.
const OFTEN: Duration = Duration::from_millis(200);
const SELDOM: Duration = Duration::from_secs(5);
/// How often the traffic and the containers are looked at.
const LOOK: Duration = Duration::from_millis(50);
const CONTAINERS: Duration = Duration::from_secs(1);
/// So many failed probes in a row are no accident.
const FAILURES: u32 = 3;

/// Starts the release beside, gives it lane after lane, and compares. A canary of the same tag that
/// was paused goes on from where it is.
pub(crate) fn canary(
    context: &Context,
    run: &mut Run,
    release: &ReleaseArgs,
    args: &CanaryArgs,
) -> Result<Outcome, Error> {
    if context.slots.mode != Mode::Lanes {
        return Err(Error::Usage("a canary needs slots.mode = \"lanes\""));
    }
    if args.compare == Some(Compare::Users) && context.slots.nginx.access_log.is_none() {
        return Err(Error::Usage(
            "--compare users needs slots.nginx.access_log in th.toml",
        ));
    }
    let steps = share::steps(&args.steps, context.lanes.len())?;
    let intent = Intent {
        shares: steps.iter().map(ToString::to_string).collect(),
        ..Intent::of(context, release)
    };
    let turn = if run.output.plan {
        None
    } else {
        Some(Turn::take(&context.state, run)?)
    };
    let paused = Pending::read(&context.state)?
        .filter(|pending| pending.phase == Phase::Paused && pending.tag == intent.tag);
    let mut why = None;
    let outcome = match (paused, turn) {
        (Some(mut pending), None) => {
            paused::take_over(run, &mut pending, release);
            return paused::plan(context, &pending, &steps);
        }
        (Some(mut pending), Some(turn)) => {
            let from = context.lanes.read()?.count(pending.slot);
            paused::take_over(run, &mut pending, release);
            Release::resume(context, run, turn, pending)?.end(|release| {
                let (docker, slot) = (&release.docker, release.pending.slot);
                let images = |_: &mut Run| release::images(docker, context, slot);
                release.report.images = engine::steadily(release.run, docker, images)?;
                let steps = steps.iter().filter(|step| step.lanes >= from);
                why = walk(release, steps, args)?;
                finish(release, why.is_none())
            })?
        }
        (None, turn) => match Release::begin_with(context, run, &intent, turn)? {
            Begun::Plan(outcome) => return Ok(outcome),
            Begun::Release(release) => release.end(|release| {
                release.boot()?;
                why = walk(release, steps.iter(), args)?;
                finish(release, why.is_none())
            })?,
        },
    };
    Ok(match why {
        None => outcome,
        Some(why) => {
            let hint = format!(
                "th-swap canary --tag {} goes on from here, th-swap rollback takes it back",
                intent.tag
            );
            outcome.but(
                ErrorKind::Negative,
                format!("the canary is paused: {why}"),
                Some(hint),
            )
        }
    })
}

/// Gives the release all of the traffic, or leaves it with its share.
fn finish(release: &mut Release<'_>, good: bool) -> Result<(), Error> {
    if good {
        release.switch()?;
        release.settle()
    } else {
        release.enter(Phase::Paused)
    }
}

/// Walks the steps below all of the traffic. Returns why it stays on one, if it does.
fn walk<'a>(
    release: &mut Release<'_>,
    steps: impl Iterator<Item = &'a Share> + Clone,
    args: &CanaryArgs,
) -> Result<Option<String>, Error> {
    let context = release.context;
    if release.pending.previous_slot.is_none() {
        release
            .run
            .warn("nothing has the traffic yet: there is nothing to compare with");
        return Ok(None);
    }
    for step in steps.clone().filter(|step| step.is_far()) {
        release.run.warn(format!(
            "{} % is not to be had: {} of {} lanes are {:.0} %",
            step.percent,
            step.lanes,
            step.of,
            step.real_percent()
        ));
    }
    let all = (*args.every)
        .saturating_mul(steps.clone().count() as u32)
        .as_secs();
    let seconds = all + release.pending.drain_seconds + release.pending.hold_seconds + 60;
    let reason = format!("canary of {}", release.pending.tag);
    silence::keep(context, release.run, reason, seconds)?;
    let mut judge = Judge::new(Limits {
        min_requests: args.min_requests,
        error_margin: args.error_margin / 100.0,
        latency_factor: args.latency_factor,
        consecutive_failures: args.failures,
        ..Limits::default()
    });
    release.enter(Phase::Switching)?;
    for share in steps {
        match take(release, *share, args, &mut judge)? {
            CanaryVerdict::Good => {}
            CanaryVerdict::Bad => return Err(Error::Worse(reason_of(release))),
            CanaryVerdict::Inconclusive => return Ok(Some(reason_of(release))),
        }
    }
    Ok(None)
}

fn reason_of(release: &Release<'_>) -> String {
    let last = release.report.steps.last();
    last.and_then(|step| step.reason.clone())
        .unwrap_or_default()
}

/// Takes one step: leads the lanes, looks for as long as the step takes, and concludes.
fn take(
    release: &mut Release<'_>,
    share: Share,
    args: &CanaryArgs,
    judge: &mut Judge,
) -> Result<CanaryVerdict, Error> {
    let (context, slot) = (release.context, release.pending.slot);
    let _shown = release
        .run
        .waiting(&format!("{} % to {slot}", share.percent));
    // Opened first: what is asked right after the lanes are led belongs to the step.
    let mut source = Source::open(context, slot, args.compare)?;
    context.lanes.share(slot, share.lanes)?;
    release.run.done(format!(
        "led {} of {} lanes to {slot}",
        share.lanes, share.of
    ));
    let began = Instant::now();
    let (step, early) = look(release, &mut source, *args.every, judge)?;
    let (verdict, reason) = match early {
        Some(why) => (CanaryVerdict::Bad, Some(why)),
        None => judge.conclude(&step),
    };
    let duration_seconds = began.elapsed().as_secs_f64();
    release
        .run
        .took(&format!("step_{}", share.percent), duration_seconds);
    release.report.steps.push(CanaryStep {
        percent: share.percent.into(),
        lanes: share.lanes.into(),
        duration_seconds,
        compared: source.compared(),
        new: side(&step.new),
        old: side(&step.old),
        verdict,
        reason,
    });
    Ok(verdict)
}

/// Looks for as long as a step takes. Returns what was seen, and why the step ended early if it
/// did.
fn look(
    release: &mut Release<'_>,
    source: &mut Source,
    every: Duration,
    judge: &mut Judge,
) -> Result<(Samples, Option<String>), Error> {
    let (context, slot) = (release.context, release.pending.slot);
    let interval = (every / COMPARISONS).clamp(OFTEN, SELDOM);
    let (mut step, mut window) = (Samples::default(), Samples::default());
    let (began, mut compared, mut alive, mut failures) = (Instant::now(), Instant::now(), None, 0);
    while began.elapsed() < every {
        if release.run.cancelled() {
            return Err(Error::Cancelled);
        }
        if alive.is_none_or(|at: Instant| at.elapsed() >= CONTAINERS) {
            alive = Some(Instant::now());
            let exclusive = &release.pending.exclusive;
            boot::refuse_dead(context, &release.docker, slot, exclusive, false)?;
            match boot::probe(context, slot) {
                Ok(()) => failures = 0,
                Err(why) if failures + 1 >= FAILURES => {
                    return Ok((
                        step,
                        Some(format!("{FAILURES} probes in a row failed: {why}")),
                    ));
                }
                Err(_) => failures += 1,
            }
        }
        source.read(&mut window)?;
        if compared.elapsed() >= interval {
            compared = Instant::now();
            step.merge(&window);
            let why = judge.measure(&std::mem::take(&mut window), &step);
            if why.is_some() {
                return Ok((step, why));
            }
        }
        thread::sleep(LOOK);
    }
    source.read(&mut window)?;
    step.merge(&window);
    Ok((step, None))
}

fn side(sample: &Sample) -> CanarySide {
    CanarySide {
        requests: sample.requests,
        errors: sample.errors,
        p50_seconds: sample.latency.p50(),
        p95_seconds: sample.latency.p95(),
    }
}
