//! `[env.NAME.slots]`: how releases are switched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::Error;

/// `[env.NAME.slots]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    compose: PathBuf,
    services: Vec<String>,
    mode: Option<String>,
    lanes: Option<u16>,
    probe: Option<Probe>,
    probe_post: Option<String>,
    version: Option<String>,
    ready: Option<String>,
    drain: Option<String>,
    hold: Option<String>,
    schema_query: Option<String>,
    #[serde(default)]
    exclusive: Vec<String>,
    #[serde(default)]
    nginx: NginxSection,
    #[serde(default)]
    ports: BTreeMap<String, BTreeMap<String, u16>>,
}

/// One path for all services, or one for each.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Probe {
    All(String),
    Each(BTreeMap<String, String>),
}

/// `[env.NAME.slots.nginx]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NginxSection {
    front: Option<String>,
    probes: Option<Vec<String>>,
    host: Option<String>,
    cookie: Option<String>,
    access_log: Option<PathBuf>,
    config: Option<PathBuf>,
    include: Option<PathBuf>,
    pid: Option<PathBuf>,
}

/// How the releases of an environment are switched.
#[derive(Debug, Clone)]
pub struct Slots {
    /// The compose file of a slot.
    pub compose: PathBuf,
    /// The services of a slot. The first one answers the version and the POST probe.
    pub services: Vec<Service>,
    /// What a switch changes.
    pub mode: Mode,
    /// How many lanes there are.
    pub lanes: u16,
    /// The path of the first service that answers a POST with 2xx and changes nothing.
    pub probe_post: Option<String>,
    /// The path of the first service that answers with its tag; `None` when it has none.
    pub version: Option<String>,
    /// How long a new slot may take until it is healthy.
    pub ready: Duration,
    /// How long the old slot's connections may take to end.
    pub drain: Duration,
    /// How long the old slot is kept warm.
    pub hold: Duration,
    /// The query whose answer is the database's migration head.
    pub schema_query: Option<String>,
    /// Services that must never run twice.
    pub exclusive: Vec<String>,
    /// The web server in front.
    pub nginx: Nginx,
    /// The TCP ports in [`Mode::Reload`]: of a slot, of a service.
    pub ports: BTreeMap<String, BTreeMap<String, u16>>,
}

/// One service of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name in the compose file.
    pub name: String,
    /// The path that answers 2xx when it is healthy.
    pub probe: String,
}

/// What a switch changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Symlinks: the services listen on unix sockets.
    Lanes,
    /// An include file and a reload: the services listen on TCP ports.
    Reload,
}

/// The web server in front.
#[derive(Debug, Clone)]
pub struct Nginx {
    /// Where it listens for plain HTTP, `http://127.0.0.1:8000`.
    pub front: Option<String>,
    /// The paths to ask it for: those of all services, so that none is forgotten. Never empty.
    pub probes: Vec<String>,
    /// The `Host` to ask it for, if not the front's own.
    pub host: Option<String>,
    /// The cookie by which it chooses a client's lane.
    pub cookie: String,
    /// Its access log, one JSON object a line.
    pub access_log: Option<PathBuf>,
    /// Its main configuration file, if not its built-in one.
    pub config: Option<PathBuf>,
    /// The include file that names the slots.
    pub include: PathBuf,
    /// The file with its process id.
    pub pid: Option<PathBuf>,
}

impl Section {
    /// Resolves the section; relative paths start at `root`.
    pub(crate) fn resolve(self, root: &Path) -> Result<Slots, Error> {
        let mode = match self.mode.as_deref() {
            None | Some("lanes") => Mode::Lanes,
            Some("reload") => Mode::Reload,
            Some(other) => {
                return Err(wrong(
                    "slots.mode",
                    format!("'{other}' is not lanes or reload"),
                ));
            }
        };
        if self.services.is_empty() {
            return Err(wrong("slots.services", "name at least one".to_owned()));
        }
        let lanes = self.lanes.unwrap_or(20);
        if !(1..=100).contains(&lanes) {
            return Err(wrong(
                "slots.lanes",
                format!("{lanes} is not from 1 to 100"),
            ));
        }
        if let Some(slot) = self
            .ports
            .keys()
            .find(|slot| !["blue", "green"].contains(&slot.as_str()))
        {
            return Err(wrong(
                "slots.ports",
                format!("'{slot}' is not blue or green"),
            ));
        }
        let probe = |service: &str| match &self.probe {
            None => Some("/health"),
            Some(Probe::All(path)) => Some(path.as_str()),
            Some(Probe::Each(paths)) => paths.get(service).map(String::as_str),
        };
        let service = |name: String| match probe(&name) {
            Some(path) => Ok(Service {
                probe: path.to_owned(),
                name,
            }),
            None => Err(wrong(
                "slots.probe",
                format!("no path for service '{name}'"),
            )),
        };
        let services: Vec<Service> = self
            .services
            .iter()
            .cloned()
            .map(service)
            .collect::<Result<_, _>>()?;
        let nginx = self.nginx;
        let first = services.iter().take(1).map(|first| first.probe.clone());
        let probes = nginx.probes.unwrap_or_else(|| first.collect());
        if probes.is_empty() || probes.iter().any(|path| !path.starts_with('/')) {
            return Err(wrong(
                "slots.nginx.probes",
                "name at least one path, such as /health".to_owned(),
            ));
        }
        let under_root = |path: Option<PathBuf>| path.map(|path| root.join(path));
        let include = nginx
            .include
            .unwrap_or_else(|| PathBuf::from("nginx/lanes.conf"));
        Ok(Slots {
            compose: root.join(self.compose),
            services,
            mode,
            lanes,
            probe_post: self.probe_post,
            version: match self.version.as_deref() {
                None => Some("/version".to_owned()),
                Some("") => None,
                Some(path) => Some(path.to_owned()),
            },
            ready: duration("slots.ready", self.ready, "2m")?,
            drain: duration("slots.drain", self.drain, "30s")?,
            hold: duration("slots.hold", self.hold, "10m")?,
            schema_query: self.schema_query,
            exclusive: self.exclusive,
            nginx: Nginx {
                front: nginx.front,
                probes,
                host: nginx.host,
                cookie: nginx.cookie.unwrap_or_else(|| "th_client".to_owned()),
                access_log: under_root(nginx.access_log),
                config: under_root(nginx.config),
                include: root.join(include),
                pid: under_root(nginx.pid),
            },
            ports: self.ports,
        })
    }
}

fn duration(setting: &'static str, text: Option<String>, default: &str) -> Result<Duration, Error> {
    let text = text.unwrap_or_else(|| default.to_owned());
    crate::duration(&text).map_err(|error| wrong(setting, format!("'{text}': {error}")))
}

fn wrong(setting: &'static str, message: String) -> Error {
    Error::Value { setting, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<Slots, Error> {
        let section: Section = toml::from_str(text).unwrap();
        section.resolve(Path::new("/srv/app"))
    }

    #[test]
    fn what_is_not_said_has_the_documented_value() {
        let slots = resolve("compose = \"c.yml\"\nservices = [\"api\", \"web\"]\n").unwrap();
        assert_eq!(slots.compose, Path::new("/srv/app/c.yml"));
        assert_eq!((slots.mode, slots.lanes), (Mode::Lanes, 20));
        assert_eq!(slots.services[1].probe, "/health");
        assert_eq!(slots.nginx.probes, ["/health"]);
        assert_eq!(slots.version.as_deref(), Some("/version"));
        assert_eq!(slots.hold, Duration::from_secs(600));
        assert_eq!(slots.nginx.include, Path::new("/srv/app/nginx/lanes.conf"));
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named() {
        let with = |line: &str| {
            resolve(&format!(
                "compose = \"c\"\nservices = [\"api\", \"web\"]\n{line}\n"
            ))
        };
        for (line, setting) in [
            ("mode = \"dns\"", "slots.mode"),
            ("lanes = 0", "slots.lanes"),
            ("hold = \"soon\"", "slots.hold"),
            ("hold = \"300000y\"", "slots.hold"),
            ("probe = { api = \"/health\" }", "slots.probe"),
            ("ports = { red = { api = 1 } }", "slots.ports"),
            ("nginx = { probes = [] }", "slots.nginx.probes"),
            ("nginx = { probes = [\"health\"] }", "slots.nginx.probes"),
        ] {
            let message = with(line).unwrap_err().to_string();
            assert!(message.starts_with(setting), "{message}");
        }
        assert_eq!(with("version = \"\"").unwrap().version, None);
    }
}
