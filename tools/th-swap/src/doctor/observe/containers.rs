//! Looking at the containers of both slots.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use th_docker::{Docker, Member};
use th_record::kind::{Slot, SwapFinding, SwapUnchecked};

use super::{Seen, unknown};
use crate::context::Context;
use crate::doctor::containers::{Bind, Is, Service};
use crate::doctor::finding::problem;
use crate::doctor::program::Program;
use crate::{Error, preflight};

/// Looks at the containers of both slots that run.
pub(in crate::doctor) fn containers(
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
pub(in crate::doctor) fn memory(
    context: &Context,
    unchecked: &mut Vec<SwapUnchecked>,
) -> Option<SwapFinding> {
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
