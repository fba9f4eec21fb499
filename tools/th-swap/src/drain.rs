//! Connections that are left on a slot's sockets: evidence, not sleep.

use std::fs;
use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use th_cli::Run;
use th_config::Mode;
use th_docker::{Docker, ExecSpec, Member};
use th_record::kind::Slot;

use crate::context::Context;
use crate::{Error, reload};

/// The time between two looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// So many looks in a row must find none: a connection that waits to be accepted does not show.
const LOOKS: u32 = 3;

/// A socket that listens.
const LISTENING: u32 = 0x1_0000;

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Drained {
    /// How long it took until none was left; `None` when some were, or nobody could tell.
    pub(crate) seconds: Option<f64>,
    /// Those that were left; `None` when nobody could tell.
    pub(crate) left: Option<u64>,
}

/// Waits until no connection is left on the sockets of `slot`, at most `limit`.
pub(crate) fn wait(
    context: &Context,
    run: &Run,
    docker: &Docker,
    slot: Slot,
    limit: Duration,
) -> Result<Drained, Error> {
    let members = docker.project(&context.project(slot))?;
    let by_reload = context.slots.mode == Mode::Reload;
    let master = by_reload.then(|| reload::master(context)).flatten();
    let (start, mut none) = (Instant::now(), 0);
    loop {
        let left = count(context, docker, slot, &members);
        let settled = left == Some(0) && !master.is_some_and(reload::is_busy);
        none = if settled { none + 1 } else { 0 };
        if none == LOOKS {
            let seconds = Some(start.elapsed().as_secs_f64());
            return Ok(Drained { seconds, left });
        }
        if start.elapsed() >= limit || run.cancelled() {
            return Ok(Drained {
                seconds: None,
                left,
            });
        }
        thread::sleep(INTERVAL);
    }
}

/// Returns how many connections there are on the sockets of `members`; `None` when that cannot be
/// told of one that runs.
pub(crate) fn count(
    context: &Context,
    docker: &Docker,
    slot: Slot,
    members: &[Member],
) -> Option<u64> {
    let services = &context.slots.services;
    let ours = |member: &&Member| {
        services
            .iter()
            .any(|service| service.name == member.service)
    };
    members
        .iter()
        .filter(ours)
        .filter(|member| member.container.running)
        .map(|member| {
            if context.slots.mode == Mode::Reload {
                let port = context.port(slot, &member.service);
                return reload::connections(member.pid?, port);
            }
            let table = table(docker, member)?;
            Some(connections(&table, &format!("/{}.sock", member.service)))
        })
        .sum()
}

/// Reads the unix sockets of a container's network namespace: the host's own list lacks them.
fn table(docker: &Docker, member: &Member) -> Option<String> {
    let of_process = |pid| fs::read_to_string(format!("/proc/{pid}/net/unix")).ok();
    member.pid.and_then(of_process).or_else(|| {
        let spec = ExecSpec {
            cmd: ["cat", "/proc/net/unix"].map(str::to_owned).to_vec(),
            ..ExecSpec::default()
        };
        let mut exec = docker
            .exec(&member.container.id, &spec, Default::default())
            .ok()?;
        let (_, mut output) = exec.split()?;
        let mut text = String::new();
        output.read_to_string(&mut text).ok()?;
        (exec.wait().ok()?.status == 0).then_some(text)
    })
}

/// Counts the accepted connections of listeners whose path ends with `suffix`. An accepted socket
/// has its listener's path.
fn connections(table: &str, suffix: &str) -> u64 {
    let rows = table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
        let path = words.nth(3)?;
        path.ends_with(suffix).then_some(flags & LISTENING)
    });
    rows.filter(|listens| *listens == 0).count() as u64
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn accepted_connections_are_told_from_listeners_and_strangers() {
        let table = "\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 37191 /run/th/api.sock
0000000000000000: 00000003 00000000 00000000 0001 03 37213 /run/th/api.sock
0000000000000000: 00000003 00000000 00000000 0001 03 37214
0000000000000000: 00000003 00000000 00000000 0001 03 37215 /run/th/web.sock
0000000000000000: 00000002 00000000 00010000 0001 01 37191 /run/th/web.sock
";
        assert_eq!(connections(table, "/api.sock"), 1);
        assert_eq!(connections(table, "/web.sock"), 1);
        assert_eq!(connections(table, "/other.sock"), 0);
    }
}
