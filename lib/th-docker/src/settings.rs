//! How a container was told to run.

use std::path::PathBuf;
use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::InspectContainerOptions;

use crate::{Docker, Error};

/// How long the engine waits between SIGTERM and SIGKILL when nothing else is said.
const STOP_TIMEOUT: u64 = 10;

/// How a container was told to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The program and its arguments, entry point and command together.
    pub argv: Vec<String>,
    /// The process id of its first process, on this host; `None` when it does not run.
    pub pid: Option<i32>,
    /// Whether a small init is its first process, which passes signals on.
    pub init: bool,
    /// The time between SIGTERM and SIGKILL.
    pub stop_timeout: Duration,
    /// Whether the image or the container has a health check.
    pub healthcheck: bool,
    /// `no`, `always`, `unless-stopped` or `on-failure`.
    pub restart: String,
    /// The host's files and directories that it sees, each with where it sees them.
    pub binds: Vec<(PathBuf, PathBuf)>,
    /// The host's addresses that lead to it, `127.0.0.1:8001`.
    pub published: Vec<String>,
}

impl Docker {
    /// Returns how the container of that name or id was told to run.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn settings(&self, name: &str) -> Result<Settings, Error> {
        let call = self
            .client()
            .inspect_container(name, None::<InspectContainerOptions>);
        Ok(of(self.wait_for(name, call)?))
    }
}

fn of(inspected: ContainerInspectResponse) -> Settings {
    let config = inspected.config.unwrap_or_default();
    let host = inspected.host_config.unwrap_or_default();
    let pid = inspected.state.and_then(|state| state.pid);
    let test = config.healthcheck.and_then(|check| check.test);
    let restart = host.restart_policy.and_then(|policy| policy.name);
    let binds = inspected
        .mounts
        .unwrap_or_default()
        .into_iter()
        .filter(|mount| mount.typ.as_deref() == Some("bind"))
        .filter_map(|mount| Some((mount.source?.into(), mount.destination?.into())));
    let published = host
        .port_bindings
        .unwrap_or_default()
        .into_values()
        .flatten()
        .flatten()
        .filter_map(|binding| {
            let port = binding.host_port.filter(|port| !port.is_empty())?;
            let ip = binding.host_ip.filter(|ip| !ip.is_empty());
            Some(format!("{}:{port}", ip.as_deref().unwrap_or("0.0.0.0")))
        });
    let seconds = config.stop_timeout.and_then(|it| u64::try_from(it).ok());
    Settings {
        argv: inspected
            .path
            .into_iter()
            .chain(inspected.args.unwrap_or_default())
            .collect(),
        // The engine says 0 of what does not run.
        pid: pid
            .and_then(|pid| i32::try_from(pid).ok())
            .filter(|pid| *pid > 0),
        init: host.init.unwrap_or_default(),
        stop_timeout: Duration::from_secs(seconds.unwrap_or(STOP_TIMEOUT)),
        healthcheck: test.is_some_and(|test| !test.is_empty() && test != ["NONE"]),
        restart: restart
            .map(|name| name.to_string())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "no".to_owned()),
        binds: binds.collect(),
        published: published.collect(),
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::{ContainerConfig, ContainerInspectResponse, HealthConfig};

    use super::*;

    #[test]
    fn what_is_not_said_is_what_the_engine_does() {
        let settings = of(ContainerInspectResponse::default());
        assert_eq!(settings.stop_timeout, Duration::from_secs(10));
        assert_eq!((settings.restart.as_str(), settings.pid), ("no", None));
        assert!(!settings.healthcheck && !settings.init);
    }

    #[test]
    fn a_health_check_that_was_turned_off_is_none() {
        let with = |test: &[&str]| {
            let test = Some(test.iter().map(|word| (*word).to_owned()).collect());
            let healthcheck = Some(HealthConfig {
                test,
                ..Default::default()
            });
            let config = Some(ContainerConfig {
                healthcheck,
                ..Default::default()
            });
            of(ContainerInspectResponse {
                config,
                ..Default::default()
            })
        };
        assert!(!with(&["NONE"]).healthcheck);
        assert!(with(&["CMD", "true"]).healthcheck);
    }
}
