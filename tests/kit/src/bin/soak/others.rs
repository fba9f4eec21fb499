//! What one would do without th-swap, under the same users: `nginx -s reload`, and docker-rollout's
//! way behind what its manual asks for, nginx-proxy.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use th_kit::{Counted, Nginx, Traffic, docker};

use crate::subject::Subject;
use crate::table::Table;

/// How long there is between two reloads…
const BETWEEN_RELOADS: Duration = Duration::from_secs(1);
/// …and between two rollouts.
const PAUSE: Duration = Duration::from_millis(300);

/// Reloads the nginx of the same app, under the same users, with nothing else changed.
pub(crate) fn reloads(subject: &Subject, table: &mut Table) -> Result<()> {
    let load = subject.traffic.start();
    thread::sleep(BETWEEN_RELOADS);
    for number in 0..subject.compare {
        subject.reload()?;
        thread::sleep(BETWEEN_RELOADS);
        eprintln!("reload {} of {}", number + 1, subject.compare);
    }
    tell(
        table,
        &format!("{} × `nginx -s reload`", subject.compare),
        &load.finish(),
    );
    Ok(())
}

/// Scales up, waits until the new container is healthy, stops the old one: what docker-rollout does.
/// As with nginx-proxy, the upstream is written anew and nginx reloaded at each start and end of a
/// container.
pub(crate) fn rollouts(subject: &Subject, table: &mut Table) -> Result<()> {
    let rollouts = subject.compare.div_ceil(3);
    let app = Rolled::start()?;
    let traffic = Traffic {
        users: subject.traffic.users,
        think: subject.traffic.think,
        ..Traffic::of_witness(app.nginx.address())
    };
    let load = traffic.start();
    thread::sleep(PAUSE);
    for number in 0..rollouts {
        app.rollout()?;
        thread::sleep(PAUSE);
        eprintln!("rollout {} of {rollouts}", number + 1);
    }
    tell(
        table,
        &format!("{rollouts} × docker-rollout's way behind nginx-proxy's"),
        &load.finish(),
    );
    Ok(())
}

fn tell(table: &mut Table, what: &str, counted: &Counted) {
    let Counted {
        requests,
        failed,
        failures,
        ..
    } = counted;
    let gap = counted.max_gap.as_millis();
    table.info(
        &format!("beside it: failed requests over {what} and {requests} requests"),
        format!("{failed} {failures:?}, longest gap {gap} ms"),
    );
}

/// An app on TCP, and an nginx that follows its containers.
struct Rolled {
    nginx: Arc<Nginx>,
    name: String,
    dir: tempfile::TempDir,
    events: Child,
}

impl Rolled {
    fn start() -> Result<Self> {
        let name = format!("soak{}", std::process::id());
        let dir = tempfile::tempdir()?;
        fs::write(
            dir.path().join("compose.yml"),
            format!(
                "services:\n  api:\n    image: th-witness:latest\n    environment:\n      PORT: 8080\n      TH_TAG: v1\n      TH_SLOT: one\n    \
                 stop_grace_period: 30s\n    labels:\n      th.app: {name}\n    healthcheck:\n      \
                 test: [CMD, python3, -c, \"import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health')\"]\n      \
                 interval: 1s\n      timeout: 2s\n      retries: 3\n"
            ),
        )?;
        let nginx = Arc::new(Nginx::start(|port| {
            http(&["127.0.0.1:9".to_owned()], port)
        })?);
        let filters = [
            "type=container",
            &format!("label=th.app={name}"),
            "event=start",
            "event=die",
        ];
        let mut events = Command::new("docker")
            .arg("events")
            .args(filters.iter().flat_map(|filter| ["--filter", filter]))
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(events.stdout.take().context("no events")?);
        let (followed, label) = (Arc::clone(&nginx), name.clone());
        thread::spawn(move || {
            for _ in lines.lines().map_while(Result::ok) {
                // As nginx-proxy does: what runs is in the upstream, then a reload.
                if let Ok(servers) = addresses(&label) {
                    let _ = follow(&followed, &servers);
                }
            }
        });
        let app = Self {
            nginx,
            name,
            dir,
            events,
        };
        app.compose(&["up", "--detach", "api"])?;
        app.wait_for(1)?;
        Ok(app)
    }

    fn rollout(&self) -> Result<()> {
        let old = self.containers()?;
        self.compose(&["up", "--detach", "--scale", "api=2", "--no-recreate", "api"])?;
        self.wait_for(2)?;
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        docker(&[&["stop"], old.as_slice()].concat())?;
        docker(&[&["rm"], old.as_slice()].concat())?;
        Ok(())
    }

    /// Waits until `count` containers are healthy, as the engine's own check has it.
    fn wait_for(&self, count: usize) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            let label = format!("label=th.app={}", self.name);
            let healthy = docker(&["ps", "-q", "--filter", &label, "--filter", "health=healthy"])?;
            if healthy.lines().count() >= count {
                return Ok(());
            }
            thread::sleep(Duration::from_secs(1));
        }
        bail!("the containers are not healthy")
    }

    fn containers(&self) -> Result<BTreeSet<String>> {
        let ids = docker(&[
            "ps",
            "-q",
            "--filter",
            &format!("label=th.app={}", self.name),
        ])?;
        Ok(ids.lines().map(str::to_owned).collect())
    }

    fn compose(&self, args: &[&str]) -> Result<()> {
        let output = Command::new("docker")
            .args(["compose", "-p", &self.name, "-f"])
            .arg(self.dir.path().join("compose.yml"))
            .args(args)
            .output()?;
        ensure!(
            output.status.success(),
            "compose: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}

impl Drop for Rolled {
    fn drop(&mut self) {
        let _ = self.events.kill();
        let _ = self.events.wait();
        let _ = self.compose(&["down", "--timeout", "1"]);
    }
}

fn addresses(name: &str) -> Result<Vec<String>> {
    let ids = docker(&["ps", "-q", "--filter", &format!("label=th.app={name}")])?;
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let mut servers = Vec::new();
    for id in ids.lines() {
        if let Ok(address) = docker(&["inspect", "--format", format, id])
            && !address.is_empty()
        {
            servers.push(format!("{address}:8080"));
        }
    }
    Ok(servers)
}

fn follow(nginx: &Nginx, servers: &[String]) -> Result<()> {
    if servers.is_empty() {
        return Ok(());
    }
    let port = nginx
        .address()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    nginx.configure(&http(servers, port.context("no port")?))?;
    nginx.reload()
}

/// What nginx-proxy's template comes to.
fn http(servers: &[String], port: u16) -> String {
    let servers: String = servers
        .iter()
        .map(|server| format!("server {server};\n"))
        .collect();
    format!(
        "upstream app {{\n{servers}}}\naccess_log off;\nkeepalive_requests 100000;\nserver {{\n\
         listen 127.0.0.1:{port};\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";\n\
         location / {{ proxy_pass http://app; }}\n}}\n"
    )
}
