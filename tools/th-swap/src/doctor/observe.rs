//! Looking at what the doctor judges.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use th_config::Mode;
use th_docker::{Docker, Member};
use th_record::kind::{Slot, SwapFinding, SwapUnchecked};

use super::containers::{Bind, Is, Service};
use super::finding::problem;
use super::program::Program;
use super::sockets::{Identity, Socket, SocketState, Sockets, Step};
use super::web_server::{Wanted, WebServer};
use crate::Error;
use crate::context::Context;
use crate::pending::Pending;
use crate::preflight;
use crate::reload::{self, Directive, Nginx};

/// The file systems that are in memory.
const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];

/// What was seen of nginx.
pub(super) struct NginxSeen {
    pub(super) seen: Option<Seen>,
    /// Whom its workers run as.
    pub(super) worker: Option<Identity>,
    pub(super) findings: Vec<SwapFinding>,
}

/// The configuration of an nginx.
pub(super) struct Seen {
    version: Option<(u32, u32, u32)>,
    main: Vec<Directive>,
    migrates: bool,
}

impl Seen {
    /// Returns it beside what it is for.
    pub(super) fn server(&self, context: &Context) -> WebServer<'_> {
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
                    Mode::Reload => ports.map(|port| format!("127.0.0.1:{port}")).collect(),
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
            migrates: self.migrates,
        }
    }
}

/// Looks at nginx.
pub(super) fn nginx(
    context: &Context,
    unchecked: &mut Vec<SwapUnchecked>,
) -> Result<NginxSeen, Error> {
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
            return Ok(none);
        }
    };
    let dump = match dump {
        Ok(dump) => dump,
        Err(why) if why.contains("Permission denied") => {
            unchecked.push(unknown("nginx", format!("run this as root: {why}")));
            return Ok(none);
        }
        Err(why) => {
            none.findings.push(problem(
                "nginx_config",
                "nginx -t",
                why,
                "mend it: the next restart of nginx would be an outage",
            ));
            return Ok(none);
        }
    };
    let main = reload::parse(&dump);
    let master = nginx.master(reload::setting(&main, "pid").as_deref());
    let worker = match &master {
        Ok(master) => reload::workers(*master)
            .first()
            .and_then(|worker| identity(worker.pid)),
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
    Ok(NginxSeen {
        seen: Some(Seen {
            version,
            main,
            migrates: migrates.is_ok_and(|text| text.trim() == "1"),
        }),
        worker,
        ..none
    })
}

/// Looks at the lanes and the sockets.
pub(super) fn sockets(context: &Context, worker: Option<Identity>) -> Result<Sockets, Error> {
    let lanes = context.lanes.dir();
    let layout = context.lanes.read()?;
    let mut sockets = Vec::new();
    for slot in Slot::ALL.into_iter().filter(|slot| layout.count(*slot) > 0) {
        for service in &context.slots.services {
            let path = context.socket(&context.run_dir(slot), &service.name);
            sockets.push(Socket {
                slot,
                state: state(&path),
                steps: steps(&path),
            });
        }
    }
    let file_system = rustix::fs::statfs(if lanes.is_dir() { lanes } else { &context.root });
    Ok(Sockets {
        lanes: lanes.to_string_lossy().into_owned(),
        layout,
        pending: Pending::read(&context.state)?.is_some(),
        longest_path: preflight::longest_path(context),
        in_memory: file_system.is_ok_and(|it| IN_MEMORY.contains(&(it.f_type as u32))),
        worker,
        sockets,
    })
}

/// Looks at the containers of both slots that run.
pub(super) fn containers(
    context: &Context,
    seen: Option<&Seen>,
    unchecked: &mut Vec<SwapUnchecked>,
) -> Result<Vec<Service>, Error> {
    let docker = match Docker::connect() {
        Ok(docker) => docker,
        Err(error) => {
            unchecked.push(unknown("containers", error.to_string()));
            return Ok(Vec::new());
        }
    };
    let server = seen.map(|seen| seen.server(context));
    let mut services = Vec::new();
    for slot in Slot::ALL {
        let project = context.project(slot);
        for member in docker.project(&project)? {
            if !member.container.running {
                continue;
            }
            let keeps = server
                .as_ref()
                .and_then(|server| server.keeps(&member.service));
            let mut service = service(&docker, &project, &member)?;
            service.nginx_keeps = keeps;
            if service.program.is_none() {
                let why = "its server program is not known: the keep-alive and graceful timeouts are not compared";
                unchecked.push(unknown(&service.name, why));
            }
            services.push(service);
        }
    }
    if services.is_empty() {
        unchecked.push(unknown("containers", "no slot runs"));
    }
    Ok(services)
}

fn service(docker: &Docker, project: &str, member: &Member) -> Result<Service, Error> {
    let container = &member.container;
    let settings = docker.settings(&container.id)?;
    let exe = |pid| fs::read_link(format!("/proc/{pid}/exe")).ok();
    let first = settings.pid.and_then(exe);
    Ok(Service {
        name: container.name.clone(),
        project: project.to_owned(),
        first: first.map(|path| path.to_string_lossy().into_owned()),
        program: Program::of(&settings.argv, |name| container.variable(name)),
        argv: settings.argv,
        init: settings.init,
        stop_timeout: settings.stop_timeout,
        healthcheck: settings.healthcheck,
        restart: settings.restart,
        binds: settings.binds.into_iter().map(bind).collect(),
        published: settings.published,
        nginx_keeps: None,
    })
}

fn bind((source, target): (PathBuf, PathBuf)) -> Bind {
    let is = match fs::metadata(&source).map(|it| it.file_type()) {
        Ok(kind) if kind.is_socket() => Is::Socket,
        Ok(kind) if kind.is_file() => Is::File,
        _ => Is::Directory,
    };
    Bind { source, target, is }
}

/// Compares the memory that is free with what a second slot needs.
pub(super) fn memory(context: &Context, unchecked: &mut Vec<SwapUnchecked>) -> Option<SwapFinding> {
    let used = || {
        let docker = Docker::connect()?;
        let projects = Slot::ALL.map(|slot| preflight::memory_of(&docker, &context.project(slot)));
        let used: Vec<u64> = projects
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect();
        Ok::<_, Error>(used)
    };
    let used = match used() {
        Ok(used) => used,
        Err(error) => {
            unchecked.push(unknown("memory", error.to_string()));
            return None;
        }
    };
    // Both run: the second one has its memory already.
    let [used] = used[..] else {
        return None;
    };
    let free = preflight::free_memory()?;
    (free < used).then(|| {
        problem(
            "memory",
            "host",
            format!(
                "a second slot needs about {}, and {} are free",
                th_cli::human_bytes(used),
                th_cli::human_bytes(free)
            ),
            "add memory, or give the services a smaller limit",
        )
    })
}

fn state(path: &Path) -> SocketState {
    match UnixStream::connect(path) {
        Ok(_) => SocketState::Accepts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => SocketState::Missing,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => SocketState::Dead,
        // What this user may not do says nothing of nginx's.
        Err(_) => SocketState::Accepts,
    }
}

/// Returns every name from the root to `path`, with no symlink among the directories.
fn steps(path: &Path) -> Vec<Step> {
    let dir = path.parent().and_then(|dir| fs::canonicalize(dir).ok());
    let path = match (dir, path.file_name()) {
        (Some(dir), Some(name)) => dir.join(name),
        _ => path.to_owned(),
    };
    let mut names: Vec<&Path> = path.ancestors().collect();
    names.reverse();
    names
        .into_iter()
        .map(|name| {
            let metadata = fs::metadata(name).ok();
            let or_open = |value: Option<u32>| value.unwrap_or(0o777);
            Step {
                path: name.to_owned(),
                mode: or_open(metadata.as_ref().map(MetadataExt::mode)),
                uid: metadata.as_ref().map_or(0, MetadataExt::uid),
                gid: metadata.as_ref().map_or(0, MetadataExt::gid),
            }
        })
        .collect()
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

fn unknown(subject: &str, reason: impl Into<String>) -> SwapUnchecked {
    SwapUnchecked {
        subject: subject.to_owned(),
        reason: reason.into(),
    }
}
