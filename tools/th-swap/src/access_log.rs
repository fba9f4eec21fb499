//! nginx's access log in the format `th`, a JSON object a line, read as it grows.

mod servers;
mod tail;

use serde::Deserialize;
use th_record::kind::Slot;

use crate::Error;
use crate::access_log::servers::Servers;
use crate::access_log::tail::Tail;
use crate::context::Context;
use crate::front::USER;

/// One try of nginx to have a request answered by a slot. A request that a second server answered
/// is two of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The server, as nginx writes it: `unix:/…/run/lanes/03/api.sock` or `127.0.0.1:8001`.
    pub(crate) server: String,
    /// The slot that the answer named; if it named none, the one that the server now belongs to.
    pub(crate) slot: Option<Slot>,
    /// The status; `None` when the client went away first.
    pub(crate) status: Option<u16>,
    /// How long the slot took; `None` for an open-ended answer, such as a websocket's.
    pub(crate) seconds: Option<f64>,
}

/// The log, open at its present end. It survives rotation and truncation.
#[derive(Debug)]
pub(crate) struct AccessLog {
    tail: Tail,
    servers: Servers,
}

impl AccessLog {
    /// Opens the log of an environment at its end; `None` when none is set. It need not be there
    /// yet.
    pub(crate) fn of(context: &Context) -> Result<Option<Self>, Error> {
        let Some(path) = &context.slots.nginx.access_log else {
            return Ok(None);
        };
        Ok(Some(Self {
            tail: Tail::at_end(path).map_err(Error::io(path))?,
            servers: Servers::of(context),
        }))
    }

    /// Hands what users asked since the last call to `each`, but for requests to other environments:
    /// they may share the log. Nothing is gathered, so memory does not grow with the traffic.
    pub(crate) fn read(&mut self, mut each: impl FnMut(&Entry)) -> Result<(), Error> {
        let path = self.tail.path().to_owned();
        self.servers.look()?;
        let servers = &self.servers;
        self.tail
            .read(|line| {
                for mut entry in entries(line) {
                    if let Some(slot) = servers.slot(&entry.server) {
                        entry.slot = entry.slot.or(slot);
                        each(&entry);
                    }
                }
            })
            .map_err(Error::io(&path))
    }
}

/// A line of the log. Fields that are not looked at may come and go.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    slot: String,
    /// Who it was, as lanes are chosen by.
    #[serde(default)]
    client: String,
    #[serde(default)]
    upstream_addr: String,
    #[serde(default)]
    upstream_status: Text,
    #[serde(default)]
    upstream_response_time: Text,
}

/// Tells whether a line has what is looked at.
pub(crate) fn is_readable(line: &[u8]) -> bool {
    let fields = [
        "slot",
        "client",
        "upstream_addr",
        "upstream_status",
        "upstream_response_time",
    ];
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line)
        .is_ok_and(|line| fields.iter().all(|field| line.contains_key(*field)))
}

/// nginx writes a number or a list of them; the format may quote it or not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Written(String),
    Number(serde_json::Number),
}

impl Default for Text {
    fn default() -> Self {
        Self::Written(String::new())
    }
}

impl Text {
    fn list(&self) -> Vec<String> {
        match self {
            Self::Written(text) => list(text),
            Self::Number(number) => vec![number.to_string()],
        }
    }
}

/// Splits what nginx writes of several servers: `, ` between tries, ` : ` between groups of them.
fn list(text: &str) -> Vec<String> {
    text.split(", ")
        .flat_map(|group| group.split(" : "))
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns the tries that a line tells of. A line that is not ours, or of a request that nginx
/// answered by itself, has none; nor has one of the tool's own, which would dilute what users met.
fn entries(line: &[u8]) -> Vec<Entry> {
    let Ok(line) = serde_json::from_slice::<Line>(line) else {
        return Vec::new();
    };
    if line.client.starts_with(USER) {
        return Vec::new();
    }
    let servers = list(&line.upstream_addr);
    let statuses = line.upstream_status.list();
    let times = line.upstream_response_time.list();
    let last = servers.len().saturating_sub(1);
    let slot = Slot::named(&line.slot);
    servers
        .into_iter()
        .enumerate()
        .filter(|(_, server)| server != "-")
        .map(|(n, server)| {
            let status = statuses.get(n).and_then(|text| text.parse().ok());
            let seconds = times.get(n).and_then(|text| text.parse().ok());
            Entry {
                server,
                slot: slot.filter(|_| n == last),
                status,
                seconds: seconds.filter(|_| status != Some(101)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(server: &str, slot: Option<Slot>, status: u16, seconds: f64) -> Entry {
        Entry {
            server: server.to_owned(),
            slot,
            status: Some(status),
            seconds: Some(seconds),
        }
    }

    #[test]
    fn each_try_has_its_own_server_status_and_time() {
        let line =
            br#"{"time":"2026-11-23T02:00:00+00:00","slot":"green","status":200,"request_time":0.009,
            "upstream_addr":"unix:/r/run/lanes/03/api.sock, unix:/r/run/lanes/07/api.sock",
            "upstream_status":"502, 200","upstream_response_time":"0.000, 0.009"}"#;
        let lane = |n| format!("unix:/r/run/lanes/0{n}/api.sock");
        assert_eq!(
            entries(line),
            [
                entry(&lane(3), None, 502, 0.0),
                entry(&lane(7), Some(Slot::Green), 200, 0.009),
            ]
        );
    }

    #[test]
    fn groups_of_servers_are_tries_too_and_numbers_need_no_quotes() {
        let line =
            br#"{"upstream_addr":"127.0.0.1:1 : 127.0.0.1:2","upstream_status":"500 : 200"}"#;
        assert_eq!(entries(line).len(), 2);
        let line =
            br#"{"upstream_addr":"127.0.0.1:1","upstream_status":404,"upstream_response_time":0.5}"#;
        assert_eq!(entries(line), [entry("127.0.0.1:1", None, 404, 0.5)]);
    }

    #[test]
    fn a_websocket_has_no_time_and_a_client_that_left_has_no_status() {
        let line =
            br#"{"upstream_addr":"a","upstream_status":"101","upstream_response_time":"3600.0"}"#;
        assert_eq!(entries(line)[0].seconds, None);
        let line = br#"{"upstream_addr":"a","upstream_status":"-","upstream_response_time":"0.1"}"#;
        assert_eq!(entries(line)[0].status, None);
    }

    #[test]
    fn what_nginx_answered_by_itself_and_the_tool_asked_and_foreign_lines_say_nothing() {
        for line in [
            r#"{"slot":"","status":503,"upstream_addr":"","upstream_status":""}"#,
            r#"{"slot":"-","status":503,"upstream_addr":"-"}"#,
            r#"{"client":"th-swap-7","upstream_addr":"a","upstream_status":"200"}"#,
            r#"127.0.0.1 - - [23/Nov/2026] "GET / HTTP/1.1" 200"#,
            "",
        ] {
            assert_eq!(entries(line.as_bytes()), [], "{line}");
        }
    }
}
