//! Where a request is passed on, and which settings hold there.

use std::time::Duration;

use crate::reload::Directive;

/// The directives around a `proxy_pass`, from the outermost block to the innermost.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    levels: Vec<&'a [Directive]>,
    pub(super) pass: &'a Directive,
}

impl<'a> Scope<'a> {
    /// Returns every place below `main` where requests are passed on.
    pub(super) fn all(main: &'a [Directive]) -> Vec<Self> {
        let mut found = Vec::new();
        collect(main, &mut Vec::new(), &mut found);
        found
    }

    /// Returns the name of the upstream, or the address, that requests are passed to.
    pub(super) fn target(&self) -> &'a str {
        let address = self.pass.value();
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Returns the value of a directive: that of the innermost block that has it.
    pub(super) fn value(&self, name: &str) -> Option<&'a Directive> {
        let mut innermost = self.levels.iter().rev();
        innermost.find_map(|level| level.iter().rev().find(|it| it.name == name))
    }

    /// Returns the value of a request header. A block with any header of its own forgets all those
    /// around it.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let is_any = |it: &&&Directive| it.name == "proxy_set_header";
        let mut innermost = self.levels.iter().rev();
        let level = innermost.find(|level| level.iter().any(|it| is_any(&&it)))?;
        let found = level
            .iter()
            .filter(|it| is_any(&it))
            .find(|it| it.value().eq_ignore_ascii_case(name))?;
        Some(found.args.get(1).map_or("", String::as_str))
    }
}

fn collect<'a>(
    block: &'a [Directive],
    levels: &mut Vec<&'a [Directive]>,
    found: &mut Vec<Scope<'a>>,
) {
    levels.push(block);
    for directive in block {
        if directive.name == "proxy_pass" {
            found.push(Scope {
                levels: levels.clone(),
                pass: directive,
            });
        }
        collect(&directive.block, levels, found);
    }
    levels.pop();
}

/// Returns the time that nginx understands by `60s`, `1m 30s`, `500ms` or `75`.
pub(super) fn time(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let value: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.len() - rest.trim_start_matches(char::is_alphabetic).len();
        total += match &rest[..letters] {
            "ms" => Duration::from_millis(value),
            "" | "s" => Duration::from_secs(value),
            "m" => Duration::from_secs(value * 60),
            "h" => Duration::from_secs(value * 3600),
            "d" => Duration::from_secs(value * 86_400),
            _ => return None,
        };
        rest = rest[letters..].trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reload::parse;

    #[test]
    fn settings_come_from_the_innermost_block_that_has_any() {
        let main = parse(
            "# configuration file /n:\nhttp { proxy_http_version 1.1;
             proxy_set_header Connection close; proxy_set_header Host $host;
             server { location / { proxy_pass http://app; }
                      location /x { proxy_set_header X y; proxy_pass http://app/y/; }
                      location /ws { proxy_set_header Connection \"\"; proxy_pass http://$pool; } } }\n",
        );
        let scopes = Scope::all(&main);
        let targets: Vec<&str> = scopes.iter().map(Scope::target).collect();
        assert_eq!(targets, ["app", "app", "$pool"]);
        let connections = scopes.iter().map(|scope| scope.header("connection"));
        assert_eq!(
            connections.collect::<Vec<_>>(),
            [Some("close"), None, Some("")]
        );
        assert_eq!(
            scopes[1].value("proxy_http_version").unwrap().value(),
            "1.1"
        );
        assert!(scopes[1].value("proxy_next_upstream").is_none());
    }

    #[test]
    fn times_are_read_as_nginx_reads_them() {
        assert_eq!(time("75"), Some(Duration::from_secs(75)));
        assert_eq!(time("1m 30s"), Some(Duration::from_secs(90)));
        assert_eq!(time("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time("$x"), None);
    }
}
