//! Starting a slot, and proving it on its own sockets.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use th_cli::Run;
use th_config::Service;
use th_docker::{Docker, Member};
use th_record::kind::Slot;

use crate::Error;
use crate::context::Context;
use crate::http::{Client, Request};

/// The time between two probes.
const INTERVAL: Duration = Duration::from_millis(200);

/// How long one probe may take.
const LIMIT: Duration = Duration::from_secs(5);

/// How often the containers are looked at while the probes fail.
const LOOK: Duration = Duration::from_secs(1);

/// So many failed probes in a row are no accident.
const FAILURES: u32 = 4;

/// How long one of two slots is waited for that are both down.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until all services of `slot` have answered `wanted` probes in a row.
///
/// # Errors
/// [`Error::NotHealthy`] after `patience`; [`Error::Died`] when a container has ended.
pub(crate) fn wait_healthy(
    context: &Context,
    run: &Run,
    docker: &Docker,
    slot: Slot,
    exclusive: &[String],
    wanted: u32,
    patience: Duration,
) -> Result<(), Error> {
    let (start, mut looked, mut in_a_row) = (Instant::now(), Instant::now(), 0);
    while in_a_row < wanted {
        match probe(context, slot) {
            Ok(()) => in_a_row += 1,
            Err(failure) => {
                in_a_row = 0;
                if looked.elapsed() >= LOOK {
                    refuse_dead(context, docker, slot, exclusive, false)?;
                    looked = Instant::now();
                }
                if start.elapsed() >= patience {
                    return Err(Error::NotHealthy {
                        slot,
                        seconds: patience.as_secs(),
                        last: failure,
                    });
                }
            }
        }
        if run.cancelled() {
            return Err(Error::Cancelled);
        }
        if in_a_row < wanted {
            thread::sleep(INTERVAL);
        }
    }
    Ok(())
}

/// Probes each service of `slot` once; says what went wrong.
pub(crate) fn probe(context: &Context, slot: Slot) -> Result<(), String> {
    for service in &context.slots.services {
        let Service { name, probe } = service;
        let mut client = Client::fresh(context.address(slot, service), LIMIT);
        match client.send(&Request::get(probe)) {
            Ok(answer) if answer.is_good() => {}
            Ok(answer) => return Err(format!("{name} answers {probe} with {}", answer.status)),
            Err(error) => return Err(format!("{name}: {error}")),
        }
    }
    Ok(())
}

/// Tells whether each service of `slot` gives an answer, be it a bad one.
pub(crate) fn answers(context: &Context, slot: Slot) -> bool {
    context.slots.services.iter().all(|service| {
        let mut client = Client::fresh(context.address(slot, service), LIMIT);
        client.send(&Request::get(&service.probe)).is_ok()
    })
}

/// Says why `old` must not be stopped for `new`: it answers, and `new` does not, also not after a while.
/// While both are down, as after a reboot, one of them is waited for.
pub(crate) fn worse(context: &Context, new: Slot, old: Slot) -> Option<String> {
    let (start, mut failed) = (Instant::now(), 0);
    loop {
        let why = probe(context, new).err()?;
        failed += 1;
        if failed >= FAILURES && probe(context, old).is_ok() {
            return Some(format!("{failed} probes in a row failed: {why}"));
        }
        // Each may take its time.
        if failed >= FAILURES && start.elapsed() >= PATIENCE {
            return None;
        }
        thread::sleep(LOOK / 2);
    }
}

/// Returns the container of `slot` that died, as [`check_alive`] does. An engine that gives no answer, as
/// while it is restarted, is no news of the slot: its probes are.
pub(crate) fn refuse_dead(
    context: &Context,
    docker: &Docker,
    slot: Slot,
    exclusive: &[String],
    moved: bool,
) -> Result<(), Error> {
    match check_alive(context, docker, slot, exclusive, moved) {
        Err(error @ Error::Died { .. }) => Err(error),
        _ => Ok(()),
    }
}

/// Returns the container of `slot` that ended, or was started again, as an error. Those of the
/// `exclusive` services count once they have `moved` there; that of a service without traffic that is
/// not one of them may end, if it ends well.
pub(crate) fn check_alive(
    context: &Context,
    docker: &Docker,
    slot: Slot,
    exclusive: &[String],
    moved: bool,
) -> Result<(), Error> {
    let members = docker.project(&context.project(slot))?;
    let is_dead = |member: &&Member| {
        let name = &member.service;
        let has_traffic = context.slots.services.iter().any(|it| it.name == *name);
        if has_traffic || (moved && exclusive.contains(name)) {
            !member.container.running || member.restarts > 0
        } else {
            // Of one that runs it is zero.
            !exclusive.contains(name) && member.exit_code != 0
        }
    };
    match members.iter().find(is_dead) {
        None => Ok(()),
        Some(member) => Err(Error::Died {
            slot,
            service: member.service.clone(),
            how: how(member),
        }),
    }
}

fn how(member: &Member) -> String {
    let exit = format!("exit status {}", member.exit_code);
    match (member.oom_killed, member.restarts) {
        (true, _) => "it ran out of memory".to_owned(),
        (false, 0) => exit,
        (false, times) => format!("{exit}, started again {times} times"),
    }
}

/// Checks that the first service of `slot` says it is `tag`. Nothing is checked when it has no
/// path for that.
///
/// # Errors
/// [`Error::WrongTag`], [`Error::NoVersion`].
pub(crate) fn check_version(context: &Context, slot: Slot, tag: &str) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Version {
        tag: String,
    }
    let (Some(path), Some(first)) = (&context.slots.version, context.slots.services.first()) else {
        return Ok(());
    };
    let refused = |why: String| Error::NoVersion {
        slot,
        path: path.clone(),
        why,
    };
    let mut client = Client::fresh(context.address(slot, first), LIMIT);
    let answer = client
        .send(&Request::get(path))
        .map_err(|error: io::Error| refused(error.to_string()))?;
    if !answer.is_good() {
        return Err(refused(format!("status {}", answer.status)));
    }
    let version: Version =
        serde_json::from_slice(&answer.body).map_err(|error| refused(error.to_string()))?;
    if version.tag == tag {
        Ok(())
    } else {
        Err(Error::WrongTag {
            slot,
            wanted: tag.to_owned(),
            found: version.tag,
        })
    }
}
