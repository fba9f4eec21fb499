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
/// A name that may be two addresses.
const LOCALHOST: &str = "localhost";
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
    /// The file that turns the maintenance page on.
    pub(super) maintenance: String,
    /// Whether the kernel moves connections from a closed listener to another one.
    pub(super) migrates: bool,
}

/// What nginx should have for one service.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) service: String,
    pub(super) upstream: String,
    /// Its servers, as nginx writes them. With ports, those of either slot, and the one of nobody.
    pub(super) servers: Vec<String>,
}

impl Wanted {
    /// Tells whether `server` is one of its own, by whichever name of this host.
    fn has(&self, server: &Directive) -> bool {
        let name = server.value();
        let port = name.strip_prefix(LOCALHOST);
        self.servers.iter().any(|own| match port {
            Some(port) => own.strip_prefix("127.0.0.1") == Some(port),
            None => own == name,
        })
    }
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
        found.extend(self.maintenance());
        found
    }

    fn http(&self) -> &[Directive] {
        let http = self.main.iter().find(|it| it.name == "http");
        http.map_or(&[], |http| http.block.as_slice())
    }

    /// Whether any site has the maintenance page.
    fn maintenance(&self) -> Option<SwapFinding> {
        let file = &self.maintenance;
        (!asks_for(self.main, file)).then(|| {
            advice(
                "maintenance_page",
                "http",
                format!("no site looks for '{file}': th-swap maintenance on changes nothing"),
                format!("add if (-f {file}) {{ return 503; }} to the locations of the users"),
            )
        })
    }

    /// Returns how long each server lets kept connections live after a reload, and without one.
    fn kept(&self) -> Vec<(Option<Duration>, Duration)> {
        let http = self.http();
        let servers = http.iter().filter(|it| it.name == "server");
        let of = |server: &Directive| {
            let time = |name| {
                value(&server.block, name)
                    .or(value(http, name))
                    .and_then(time)
            };
            let kept = time("keepalive_timeout").unwrap_or(KEEPALIVE);
            (time("keepalive_min_timeout"), kept)
        };
        servers.map(of).collect()
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
        let kept = self.kept();
        let is_set = kept.iter().all(|(set, _)| set.is_some());
        let is_short = kept.iter().all(|(set, kept)| *set < Some(*kept));
        match (is_set, is_short) {
            (false, _) if old && by_reload => found.push(problem(
                "nginx_version",
                "nginx",
                "before 1.27.4, every reload resets clients that keep their connection",
                "use mode = \"lanes\", or a newer nginx with keepalive_min_timeout 5s",
            )),
            (false, _) if old => {}
            (false, _) => found.push(finding(
                severity,
                "keepalive_min_timeout",
                "http",
                "it is not set, so every reload resets clients that keep their connection",
                "add keepalive_min_timeout 5s; to http",
            )),
            (true, false) => found.push(finding(
                severity,
                "keepalive_min_timeout",
                "http",
                "it is not below keepalive_timeout",
                "set keepalive_min_timeout 5s, and keepalive_timeout 75s",
            )),
            (true, true) => {}
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
            found.push(finding(
                severity,
                "reuseport",
                &listen.at,
                "with reuseport, a reload drops what old workers have not accepted yet",
                "remove reuseport, or set net.ipv4.tcp_migrate_req = 1 (Linux 5.14)",
            ));
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

/// Tells whether a condition below `block` asks for `file`.
fn asks_for(block: &[Directive], file: &str) -> bool {
    block.iter().any(|it| {
        // `(-f FILE)` is two words, with the braces.
        let is_it = |word: &String| word.trim_end_matches(')') == file;
        it.name == "if" && it.args.iter().any(is_it) || asks_for(&it.block, file)
    })
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
