//! How requests are passed on to the slots.

use th_config::Mode;
use th_record::kind::SwapFinding;

use super::{KEEPS_UPSTREAM, WebServer, value};
use crate::doctor::finding::{advice, problem};
use crate::doctor::scope::Scope;
use crate::reload::Directive;

impl WebServer<'_> {
    /// How requests are passed on.
    pub(super) fn passes(&self, upstreams: &[&Directive], found: &mut Vec<SwapFinding>) {
        let scopes = Scope::all(self.main);
        found.extend(unreached(upstreams, &scopes));
        let (mut keeping, mut old_protocol, mut retrying, mut never) = (None, None, None, None);
        for scope in &scopes {
            let Some(upstream) = upstreams.iter().find(|it| it.value() == scope.target()) else {
                continue;
            };
            if self.keeps_open(scope, upstream) {
                keeping.get_or_insert(&scope.pass.at);
            }
            let one_one = self.is_one_one(scope);
            if !one_one {
                old_protocol.get_or_insert(&scope.pass.at);
            }
            if let Some(next) = scope.value("proxy_next_upstream") {
                let has = |word| next.args.iter().any(|arg| arg == word);
                if has("non_idempotent") {
                    retrying.get_or_insert(&next.at);
                }
                if has("off") {
                    never.get_or_insert(&next.at);
                }
            }
        }
        if let Some(at) = keeping.filter(|_| self.mode == Mode::Lanes) {
            found.push(problem(
                "upstream_keepalive",
                at,
                "nginx keeps its connections to a slot, and goes on using them after the switch",
                "add proxy_http_version 1.1; proxy_set_header Connection close; there, and no keepalive to the upstream",
            ));
        }
        if let Some(at) = old_protocol {
            found.push(advice(
                "proxy_http_version",
                at,
                "requests are passed on in HTTP/1.0: an answer that was cut off looks like a whole one, and websockets fail",
                "add proxy_http_version 1.1; proxy_set_header Connection close;",
            ));
        }
        if let Some(at) = retrying {
            found.push(problem(
                "non_idempotent",
                at,
                "a POST whose answer fails is sent again, and may be done twice",
                "take non_idempotent out of proxy_next_upstream",
            ));
        }
        if let Some(at) = never.filter(|_| self.mode == Mode::Lanes) {
            found.push(advice(
                "next_upstream",
                at,
                "with proxy_next_upstream off, a slot that dies during a canary takes its users with it",
                "leave proxy_next_upstream as it is without saying",
            ));
        }
    }

    /// Tells whether connections to `upstream` are kept after a request that is passed on here.
    pub(super) fn keeps_open(&self, scope: &Scope<'_>, upstream: &Directive) -> bool {
        let keeps = match value(&upstream.block, "keepalive") {
            Some("0") => false,
            Some(_) => true,
            None => self.keeps_by_itself(),
        };
        // What is said is passed on; what is not is close, or since 1.29.7 nothing.
        let open = match scope.header("connection") {
            Some(words) => self.may_be_empty(words),
            None => self.keeps_by_itself(),
        };
        keeps && self.is_one_one(scope) && open
    }

    /// Tells whether a value is nothing, or a variable that some request makes nothing.
    fn may_be_empty(&self, words: &str) -> bool {
        let maps = self.http().iter().filter(|it| it.name == "map");
        let mut of_it = maps.filter(|map| map.args.get(1).is_some_and(|name| name == words));
        words.is_empty()
            || of_it.any(|map| map.block.iter().any(|choice| choice.value().is_empty()))
    }

    fn is_one_one(&self, scope: &Scope<'_>) -> bool {
        let version = scope.value("proxy_http_version").map(Directive::value);
        version.map_or(self.keeps_by_itself(), |version| version == "1.1")
    }

    fn keeps_by_itself(&self) -> bool {
        self.version
            .is_some_and(|version| version >= KEEPS_UPSTREAM)
    }
}

/// Returns the first upstream that no request is passed on to. Where a variable says where to, that is
/// not known.
fn unreached(upstreams: &[&Directive], scopes: &[Scope<'_>]) -> Option<SwapFinding> {
    let targets: Vec<&str> = scopes.iter().map(Scope::target).collect();
    let mut upstreams = upstreams.iter();
    let upstream = upstreams.find(|it| !targets.contains(&it.value()))?;
    let is_known = !targets.iter().any(|target| target.contains('$'));
    is_known.then(|| {
        problem(
            "not_passed",
            &upstream.at,
            format!(
                "no proxy_pass leads to upstream {}: no release changes what users get",
                upstream.value()
            ),
            format!("add proxy_pass http://{}; to the site", upstream.value()),
        )
    })
}
