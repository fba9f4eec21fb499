//! Looking at nginx: its version, its configuration, and whom its workers run as.

use std::fs;

use th_config::Mode;
use th_record::kind::{SwapFinding, SwapUnchecked};

use super::unknown;
use crate::context::Context;
use crate::doctor::finding::problem;
use crate::doctor::identity::Identity;
use crate::doctor::web_server::{Wanted, WebServer};
use crate::front::Front;
use crate::plan::FrontSeen;
use crate::reload::{self, Directive, Nginx};
use crate::{maintenance, preflight};

/// What was seen of nginx.
pub(in crate::doctor) struct NginxSeen {
    pub(in crate::doctor) seen: Option<Seen>,
    /// Whom its workers run as.
    pub(in crate::doctor) worker: Option<Identity>,
    pub(in crate::doctor) findings: Vec<SwapFinding>,
}

/// The configuration of an nginx.
pub(in crate::doctor) struct Seen {
    version: Option<(u32, u32, u32)>,
    main: Vec<Directive>,
    migrates: bool,
}

impl Seen {
    /// Returns it beside what it is for.
    pub(in crate::doctor) fn server(&self, context: &Context) -> WebServer<'_> {
        let slots = &context.slots;
        let wanted = slots.services.iter().map(|service| {
            let name = &service.name;
            let lane = |number| {
                let socket = context.socket(&context.lanes.path(number), name);
                format!("unix:{}", socket.display())
            };
            let ports = slots.ports.values().filter_map(|ports| ports.get(name));
            Wanted {
                service: name.clone(),
                upstream: reload::upstream(context, name),
                servers: match slots.mode {
                    Mode::Lanes => (0..context.lanes.len()).map(lane).collect(),
                    // Nobody before the first release; that there was none is not nginx's to tell.
                    Mode::Reload => ports
                        .map(|port| format!("127.0.0.1:{port}"))
                        .chain([reload::NOBODY.to_owned()])
                        .collect(),
                },
            }
        });
        WebServer {
            version: self.version,
            main: &self.main,
            mode: slots.mode,
            wanted: wanted.collect(),
            include: slots.nginx.include.to_string_lossy().into_owned(),
            drain: slots.drain,
            maintenance: maintenance::path(context).to_string_lossy().into_owned(),
            migrates: self.migrates,
        }
    }
}

/// Looks at nginx.
pub(in crate::doctor) fn nginx(context: &Context, unchecked: &mut Vec<SwapUnchecked>) -> NginxSeen {
    let nginx = Nginx::of(context);
    let mut none = NginxSeen {
        seen: None,
        worker: None,
        findings: Vec::new(),
    };
    let (version, dump) = match nginx
        .version()
        .and_then(|version| Ok((version, nginx.dump()?)))
    {
        Ok(seen) => seen,
        Err(error) => {
            unchecked.push(unknown(
                "nginx",
                format!("it cannot be run on this host: {error}"),
            ));
            return none;
        }
    };
    let dump = match dump {
        Ok(dump) => dump,
        Err(why) if why.contains("Permission denied") => {
            unchecked.push(unknown("nginx", format!("run this as root: {why}")));
            return none;
        }
        Err(why) => {
            none.findings.push(problem(
                "nginx_config",
                "nginx -t",
                why,
                "mend it: the next restart of nginx would be an outage",
            ));
            return none;
        }
    };
    let main = reload::parse(&dump);
    let master = nginx.master(reload::setting(&main, "pid").as_deref());
    let worker = match &master {
        Ok(master) => reload::workers(*master)
            .first()
            .and_then(|worker| identity(worker.pid)),
        Err(error) if answers(context) => {
            unchecked.push(unknown(
                "nginx",
                format!(
                    "it answers, but is not the one of this host's configuration ({error}): \
                     set slots.nginx.config and slots.nginx.pid"
                ),
            ));
            return none;
        }
        Err(error) => {
            none.findings.push(problem(
                "nginx_down",
                "nginx",
                error.to_string(),
                "start nginx, or set slots.nginx.pid to its pid file",
            ));
            None
        }
    };
    let migrates = fs::read_to_string("/proc/sys/net/ipv4/tcp_migrate_req");
    NginxSeen {
        seen: Some(Seen {
            version,
            main,
            migrates: migrates.is_ok_and(|text| text.trim() == "1"),
        }),
        worker,
        ..none
    }
}

/// Tells whether something answers where users are told to come.
fn answers(context: &Context) -> bool {
    let front = Front::of(context).ok().flatten();
    front.is_some_and(|front| {
        matches!(
            preflight::look(&front, 1, front.gets()),
            FrontSeen::Answers(_)
        )
    })
}

/// Returns whom nginx's workers run as, when it runs where its process id is looked for.
pub(super) fn worker(context: &Context) -> Option<Identity> {
    let master = Nginx::of(context).master(None).ok()?;
    let workers = reload::workers(master);
    identity(workers.first()?.pid)
}

/// Returns whom a process runs as.
fn identity(pid: i32) -> Option<Identity> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let numbers = |name: &str| -> Vec<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let words = line.unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    // Real, effective, saved, and the one that counts for files.
    let mut gids = numbers("Groups:");
    gids.extend(numbers("Gid:").get(3));
    Some(Identity {
        uid: *numbers("Uid:").get(3)?,
        gids,
    })
}
