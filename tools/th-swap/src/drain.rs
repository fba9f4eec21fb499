//! Connections that are left to a slot: evidence, not sleep.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use th_cli::Run;
use th_config::Mode;
use th_docker::{Docker, Member};
use th_record::kind::Slot;

use crate::context::Context;
use crate::{Error, engine, reload, sockets};

/// The time between two looks.
const INTERVAL: Duration = Duration::from_millis(30);

/// So many looks in a row must find none: nginx may have read a lane and not connected yet.
const LOOKS: u32 = 3;

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Drained {
    /// How long it took until none was left; `None` when some were, or nobody could tell.
    pub(crate) seconds: Option<f64>,
    /// Those that were left; `None` when nobody could tell.
    pub(crate) left: Option<u64>,
}

/// Waits until no connection to `slot` is left, at most `limit`, or until `cancel` is raised. Where the
/// slot is stopped next, nothing is to raise it: its users would be cut off.
pub(crate) fn wait(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    slot: Slot,
    limit: Duration,
    cancel: Option<&AtomicBool>,
) -> Result<Drained, Error> {
    let project = context.project(slot);
    let members = engine::steadily(run, docker, |_| Ok(docker.project(&project)?))?;
    let (start, mut none) = (Instant::now(), 0);
    let nginx = match context.slots.mode {
        Mode::Lanes => None,
        Mode::Reload => reload::master(context),
    };
    loop {
        let left = count(context, slot, &members);
        let settled = left == Some(0) && !nginx.is_some_and(reload::is_busy);
        none = if settled { none + 1 } else { 0 };
        if none == LOOKS {
            let seconds = Some(start.elapsed().as_secs_f64());
            return Ok(Drained { seconds, left });
        }
        if start.elapsed() >= limit || cancel.is_some_and(|it| it.load(Ordering::Relaxed)) {
            return Ok(Drained {
                seconds: None,
                left,
            });
        }
        thread::sleep(INTERVAL);
    }
}

/// Returns how many connections there are to the services of `slot`, whose containers `members` are;
/// `None` when that cannot be told.
pub(crate) fn count(context: &Context, slot: Slot, members: &[Member]) -> Option<u64> {
    let services = &context.slots.services;
    let containers = services.iter().filter_map(|service| {
        let of_service = |member: &&Member| member.service == service.name;
        members.iter().find(of_service)
    });
    match context.slots.mode {
        Mode::Lanes => {
            let dir = context.run_dir(slot);
            let sockets = services
                .iter()
                .map(|service| context.socket(&dir, &service.name));
            let processes = containers
                .filter_map(|member| member.pid)
                .chain(nginx_pid(context));
            let (sockets, processes): (Vec<_>, Vec<_>) = (sockets.collect(), processes.collect());
            sockets::connections(&sockets, &processes).ok().flatten()
        }
        Mode::Reload => containers
            .filter(|member| member.container.running)
            .map(|member| reload::connections(member.pid?, context.port(slot, &member.service)))
            .sum(),
    }
}

/// Returns nginx's process, if the settings tell: it may be in a container.
fn nginx_pid(context: &Context) -> Option<u32> {
    let path = context.slots.nginx.pid.as_ref()?;
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
