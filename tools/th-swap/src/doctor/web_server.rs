//! What nginx's configuration says, against what a switch needs. Pure.

mod passes;
mod upstreams;

use std::time::Duration;

use th_config::Mode;
use th_record::kind::{Severity, SwapFinding};

use super::finding::{advice, finding, problem};
use super::scope::{Scope, time};
use crate::reload::Directive;

/// The first version that lets a kept connection end in peace.
const MIN_TIMEOUT: (u32, u32, u32) = (1, 27, 4);
/// The first version that keeps connections to upstreams unless told not to.
const KEEPS_UPSTREAM: (u32, u32, u32) = (1, 29, 7);
/// How long nginx keeps a client's connection when nothing is said.
const KEEPALIVE: Duration = Duration::from_secs(75);

/// An nginx, and what it is for.
#[derive(Debug, Clone)]
pub(super) struct WebServer<'a> {
    pub(super) version: Option<(u32, u32, u32)>,
    pub(super) main: &'a [Directive],
    pub(super) mode: Mode,
    pub(super) wanted: Vec<Wanted>,
    /// The include file that th-swap writes.
    pub(super) include: String,
    pub(super) drain: Duration,
    /// Whether the kernel moves connections from a closed listener to another one.
    pub(super) migrates: bool,
}

/// What nginx should have for one service.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) service: String,
    pub(super) upstream: String,
    /// Its servers, as nginx writes them. With ports, those of either slot.
    pub(super) servers: Vec<String>,
}

impl WebServer<'_> {
    /// Returns what is wrong.
    pub(super) fn findings(&self) -> Vec<SwapFinding> {
        let mut found = Vec::new();
        self.reloading(&mut found);
        let mut upstreams = Vec::new();
        for wanted in &self.wanted {
            match self.upstream(wanted) {
                Ok(upstream) => {
                    self.servers(wanted, upstream, &mut found);
                    upstreams.push(upstream);
                }
                Err(finding) => found.push(finding),
            }
        }
        self.passes(&upstreams, &mut found);
        found
    }

    fn http(&self) -> &[Directive] {
        let http = self.main.iter().find(|it| it.name == "http");
        http.map_or(&[], |http| http.block.as_slice())
    }

    /// What a reload does to connections.
    fn reloading(&self, found: &mut Vec<SwapFinding>) {
        let by_reload = self.mode == Mode::Reload;
        // With lanes only a new certificate or a hand-made change reloads.
        let severity = if by_reload {
            Severity::Problem
        } else {
            Severity::Advice
        };
        let old = self.version.is_some_and(|version| version < MIN_TIMEOUT);
        let set = value(self.http(), "keepalive_min_timeout").and_then(time);
        let kept = value(self.http(), "keepalive_timeout").and_then(time);
        match set {
            None if old && by_reload => found.push(problem(
                "nginx_version",
                "nginx",
                "before 1.27.4, every reload resets clients that keep their connection",
                "use mode = \"lanes\", which never reloads, or a newer nginx with keepalive_min_timeout 5s",
            )),
            None if old => {}
            None => found.push(finding(
                severity,
                "keepalive_min_timeout",
                "http",
                "it is not set, so every reload resets clients that keep their connection",
                "add keepalive_min_timeout 5s; to http",
            )),
            Some(set) if set >= kept.unwrap_or(KEEPALIVE) => found.push(finding(
                severity,
                "keepalive_min_timeout",
                "http",
                "it is not below keepalive_timeout",
                "set keepalive_min_timeout 5s, and keepalive_timeout 75s",
            )),
            Some(_) => {}
        }
        let limit = value(self.main, "worker_shutdown_timeout").and_then(time);
        let longest = self.drain.max(Duration::from_secs(60));
        match limit {
            None => found.push(finding(
                severity,
                "worker_shutdown_timeout",
                "main",
                "it is not set, so one open websocket keeps an old worker for ever after a reload",
                format!(
                    "add worker_shutdown_timeout {}s; at the top",
                    longest.as_secs()
                ),
            )),
            Some(limit) if by_reload && limit > self.drain => found.push(advice(
                "worker_shutdown_timeout",
                "main",
                format!(
                    "old workers may stay for {} s, but slots.drain waits {} s only",
                    limit.as_secs(),
                    self.drain.as_secs()
                ),
                format!("set worker_shutdown_timeout {}s", self.drain.as_secs()),
            )),
            Some(_) => {}
        }
        let shared = listens(self.http()).into_iter().find(|it| reuses(it));
        if let Some(listen) = shared.filter(|_| !self.migrates) {
            {
                found.push(finding(
                severity,
                    "reuseport",
                    &listen.at,
                    "with reuseport, a reload drops the connections that old workers have not accepted yet",
                    "remove reuseport, or set net.ipv4.tcp_migrate_req = 1 (Linux 5.14)",
                ));
            }
        }
    }

    /// Returns how long nginx keeps idle connections to a service; `None` when it keeps none.
    pub(super) fn keeps(&self, service: &str) -> Option<Duration> {
        let wanted = self.wanted.iter().find(|it| it.service == service)?;
        let upstream = self.upstream(wanted).ok()?;
        let passes = Scope::all(self.main);
        let mut to_it = passes
            .iter()
            .filter(|scope| scope.target() == upstream.value());
        let keeps = to_it.any(|scope| self.keeps_open(scope, upstream));
        let time = value(&upstream.block, "keepalive_timeout").and_then(time);
        keeps.then(|| time.unwrap_or(Duration::from_secs(60)))
    }
}

fn servers(upstream: &Directive) -> impl Iterator<Item = &Directive> {
    upstream.block.iter().filter(|it| it.name == "server")
}

fn value<'a>(block: &'a [Directive], name: &str) -> Option<&'a str> {
    block
        .iter()
        .find(|it| it.name == name)
        .map(Directive::value)
}

fn listens(http: &[Directive]) -> Vec<&Directive> {
    let servers = http.iter().filter(|it| it.name == "server");
    servers
        .flat_map(|server| &server.block)
        .filter(|it| it.name == "listen")
        .collect()
}

fn reuses(listen: &Directive) -> bool {
    listen.args.iter().any(|arg| arg == "reuseport")
}

#[cfg(test)]
mod tests;
