//! The upstreams: whether they lead to the slots, all of them, and to nothing else.

use std::collections::BTreeSet;

use th_config::Mode;
use th_record::kind::SwapFinding;

use super::{LOCALHOST, Wanted, WebServer, servers, value};
use crate::doctor::finding::{advice, problem};
use crate::reload::Directive;

impl WebServer<'_> {
    /// Returns the upstream of a service.
    pub(super) fn upstream(&self, wanted: &Wanted) -> Result<&Directive, SwapFinding> {
        let mut upstreams = self.http().iter().filter(|it| it.name == "upstream");
        let leads = |it: &&Directive| servers(it).any(|server| wanted.has(server));
        let named = upstreams.clone().find(|it| it.value() == wanted.upstream);
        let fix = format!("include '{}' at the http level, and reload", self.include);
        match (upstreams.find(leads), named) {
            (Some(upstream), _) => Ok(upstream),
            (None, Some(named)) => Err(problem(
                "upstream_elsewhere",
                &named.at,
                format!(
                    "upstream {} has no server of '{}', but {}",
                    wanted.upstream,
                    wanted.service,
                    servers(named).next().map_or("none", Directive::value)
                ),
                format!("this environment's root has moved, or the file is another's: {fix}"),
            )),
            (None, None) => Err(problem(
                "upstream_missing",
                &wanted.service,
                format!(
                    "nginx has no upstream with the servers of '{}'",
                    wanted.service
                ),
                fix,
            )),
        }
    }

    /// What an upstream says of its servers.
    pub(super) fn servers(
        &self,
        wanted: &Wanted,
        upstream: &Directive,
        found: &mut Vec<SwapFinding>,
    ) {
        let by_lanes = self.mode == Mode::Lanes;
        let present: BTreeSet<&str> = servers(upstream).map(Directive::value).collect();
        let missing = wanted
            .servers
            .iter()
            .filter(|it| !present.contains(it.as_str()))
            .count();
        if by_lanes && missing > 0 {
            found.push(problem(
                "lanes_missing",
                &upstream.at,
                format!(
                    "{missing} of {} lanes are not in upstream {}",
                    wanted.servers.len(),
                    upstream.value()
                ),
                "run th-swap init, and reload nginx",
            ));
        }
        let mut foreign = servers(upstream).filter(|server| !wanted.has(server));
        if let Some(server) = foreign.next().map(Directive::value) {
            found.push(problem(
                "foreign_server",
                &upstream.at,
                format!(
                    "upstream {} also leads to {server}, which no switch moves",
                    upstream.value()
                ),
                "take that server out",
            ));
        }
        let can_fail = servers(upstream).find(|it| !it.args.iter().any(|arg| arg == "max_fails=0"));
        if let Some(server) = can_fail.filter(|_| by_lanes) {
            found.push(problem(
                "max_fails",
                &server.at,
                "without max_fails=0 nginx takes lanes for dead after one failure, whatever slot they lead to by now",
                "add max_fails=0 to each server, or run th-swap init again",
            ));
        }
        if let Some(server) = servers(upstream).find(|it| it.value().starts_with(LOCALHOST)) {
            found.push(problem(
                "localhost",
                &server.at,
                "localhost may be two addresses, of which one answers",
                "write 127.0.0.1",
            ));
        }
        let hash = value(&upstream.block, "hash");
        if by_lanes && hash.is_none() {
            found.push(advice(
                "hash",
                &upstream.at,
                format!(
                    "upstream {} has no hash: a canary's users change slots at each request",
                    upstream.value()
                ),
                "add hash $th_client;",
            ));
        }
    }
}
