//! How the containers of a slot were told to run. Pure.

use std::path::{Path, PathBuf};
use std::time::Duration;

use th_config::Mode;
use th_record::kind::SwapFinding;

use super::finding::{advice, problem};
use super::program::Program;

/// Between the end of what a server lets run and SIGKILL.
const MARGIN: Duration = Duration::from_secs(5);
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ash", "busybox"];
/// Files of the host that are mounted for what is in them at the start.
const HARMLESS: [&str; 4] = [
    "/etc/localtime",
    "/etc/timezone",
    "/etc/hosts",
    "/etc/resolv.conf",
];

/// A container of a slot.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// The container.
    pub(super) name: String,
    /// Its compose project.
    pub(super) project: String,
    pub(super) argv: Vec<String>,
    /// The program of its first process; `None` when that cannot be seen.
    pub(super) first: Option<String>,
    pub(super) init: bool,
    pub(super) stop_timeout: Duration,
    pub(super) healthcheck: bool,
    pub(super) restart: String,
    pub(super) binds: Vec<Bind>,
    /// The host's addresses that lead to it.
    pub(super) published: Vec<String>,
    /// The server program, if it is one that is known.
    pub(super) program: Option<Program>,
    /// How long nginx keeps idle connections to it; `None` when it keeps none.
    pub(super) nginx_keeps: Option<Duration>,
}

/// Something of the host that a container sees.
#[derive(Debug, Clone)]
pub(super) struct Bind {
    pub(super) source: PathBuf,
    pub(super) target: PathBuf,
    pub(super) is: Is,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    Directory,
    File,
    Socket,
}

impl Service {
    /// Returns what is wrong.
    pub(super) fn findings(&self, mode: Mode) -> Vec<SwapFinding> {
        let mut found = Vec::new();
        self.binds(&mut found);
        self.stopping(&mut found);
        self.starting(&mut found);
        self.ports(mode, &mut found);
        found
    }

    fn binds(&self, found: &mut Vec<SwapFinding>) {
        for bind in &self.binds {
            let path = bind.source.display();
            let harmless = |path: &Path| HARMLESS.iter().any(|name| path == Path::new(name));
            let engine = bind
                .source
                .file_name()
                .is_some_and(|name| name == "docker.sock");
            match bind.is {
                Is::Socket if !engine => found.push(problem(
                    "single_file_mount",
                    &self.name,
                    format!("the socket '{path}' is mounted by itself: after a restart it is another one"),
                    "mount the directory it is in",
                )),
                Is::File if !harmless(&bind.target) => found.push(advice(
                    "single_file_mount",
                    &self.name,
                    format!("the file '{path}' is mounted by itself: when it is replaced, the container goes on seeing the old one"),
                    "mount the directory it is in",
                )),
                Is::Socket | Is::File | Is::Directory => {}
            }
        }
    }

    fn stopping(&self, found: &mut Vec<SwapFinding>) {
        if self.is_shell() {
            found.push(problem(
                "shell_form",
                &self.name,
                "its first process is a shell, which keeps SIGTERM to itself: each stop is a kill",
                "write CMD [\"program\", \"argument\"], or exec in the script",
            ));
        }
        let Some(program) = self.program else {
            return;
        };
        let given = self.stop_timeout.as_secs();
        match program.graceful {
            None => found.push(advice(
                "graceful_timeout",
                &self.name,
                format!(
                    "{} waits for ever for its connections to end, and is killed after {given} s",
                    program.name
                ),
                format!(
                    "add --timeout-graceful-shutdown {}",
                    given.saturating_sub(MARGIN.as_secs()).max(1)
                ),
            )),
            Some(graceful) if self.stop_timeout < graceful + MARGIN => found.push(problem(
                "stop_grace_period",
                &self.name,
                format!(
                    "{} lets requests end for {} s, and is killed after {given} s",
                    program.name,
                    graceful.as_secs()
                ),
                format!("set stop_grace_period: {}s", (graceful + MARGIN).as_secs()),
            )),
            Some(_) => {}
        }
        if let Some(nginx) = self
            .nginx_keeps
            .filter(|nginx| *nginx >= program.keep_alive)
        {
            found.push(problem(
                "keep_alive",
                &self.name,
                format!(
                    "nginx keeps idle connections for {} s, and {} ends them after {} s: a POST meets a closed one",
                    nginx.as_secs(),
                    program.name,
                    program.keep_alive.as_secs()
                ),
                format!(
                    "let {} keep them for {} s",
                    program.name,
                    (nginx + Duration::from_secs(15)).as_secs()
                ),
            ));
        }
    }

    /// A shell that has become the program by `exec` is none.
    fn is_shell(&self) -> bool {
        let base = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
        let is_shell = |word: &String| SHELLS.contains(&base(word).as_str());
        match &self.first {
            Some(first) if !self.init => is_shell(first),
            _ => {
                let script = self.argv.get(2).map_or("", String::as_str).trim_start();
                self.argv.first().is_some_and(is_shell)
                    && self.argv.get(1).is_some_and(|word| word == "-c")
                    && !script.starts_with("exec ")
            }
        }
    }

    fn starting(&self, found: &mut Vec<SwapFinding>) {
        if !self.healthcheck {
            found.push(advice(
                "no_healthcheck",
                &self.name,
                "neither image nor compose file has a health check: docker takes it for healthy as soon as it runs",
                "add healthcheck: to the service",
            ));
        }
        match self.restart.as_str() {
            "unless-stopped" => {}
            "always" => found.push(advice(
                "restart_policy",
                &self.name,
                "restart: always also starts a slot that was stopped, when docker starts again",
                "set restart: unless-stopped",
            )),
            other => found.push(problem(
                "restart_policy",
                &self.name,
                format!("with restart: {other}, it does not run after a reboot"),
                "set restart: unless-stopped",
            )),
        }
        if !self.name.starts_with(&self.project) {
            found.push(problem(
                "container_name",
                &self.name,
                "its name is fixed, so the other slot cannot start beside it",
                "remove container_name from the service",
            ));
        }
    }

    fn ports(&self, mode: Mode, found: &mut Vec<SwapFinding>) {
        for address in &self.published {
            let local = address.starts_with("127.") || address.starts_with("[::1]");
            if mode == Mode::Lanes {
                found.push(problem(
                    "published_port",
                    &self.name,
                    format!(
                        "it has the host's port {address}, so the other slot cannot start beside it"
                    ),
                    "remove ports: from the service; the lanes need none",
                ));
            } else if !local {
                found.push(problem(
                    "published_port",
                    &self.name,
                    format!("{address} is open to the network, past nginx"),
                    "publish it on 127.0.0.1",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;
