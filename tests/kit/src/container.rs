//! A throw-away server in a container.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::reaper::Reaper;
use crate::{PASSWORD, Server, Tool};

const PATIENCE: Duration = Duration::from_secs(90);

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A PostgreSQL server in a container of the image `postgres:<version>`.
#[derive(Debug)]
pub struct ContainerServer {
    name: String,
    _reaper: Reaper,
}

impl ContainerServer {
    /// Starts a server of a major version and waits until it takes connections.
    ///
    /// # Errors
    /// Those of Docker; a server that does not come up.
    pub fn start(version: u32) -> Result<Self> {
        let pid = std::process::id();
        let name = format!("th-test-{pid}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let reaper = Reaper::promise(r#"docker rm -f -v "$1""#, &[&name])?;
        let output = Command::new("docker")
            .args([
                "run",
                "-d",
                "--name",
                &name,
                "--label",
                &format!("th.test={pid}"),
            ])
            .args(["-e", "POSTGRES_PASSWORD"])
            .args([&format!("postgres:{version}"), "-c", "fsync=off"])
            .env("POSTGRES_PASSWORD", PASSWORD)
            .output()
            .context("cannot run docker")?;
        ensure!(
            output.status.success(),
            "docker run: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let server = Self {
            name,
            _reaper: reaper,
        };
        server.wait()?;
        Ok(server)
    }

    /// Returns the name of the container.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the command lines of all processes in the container.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn processes(&self) -> Result<Vec<String>> {
        let output = Command::new("docker")
            .args(["top", &self.name, "-eo", "pid,args"])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text
            .lines()
            .skip(1)
            .map(|line| line.trim().to_owned())
            .collect())
    }

    /// While the image makes its cluster, a temporary server answers on the socket only.
    fn wait(&self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let ready = Command::new("docker")
                .args(["exec", &self.name, "pg_isready", "-q", "-h", "127.0.0.1"])
                .output()?;
            if ready.status.success() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("{} does not come up", self.name)
    }
}

impl Server for ContainerServer {
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new("docker");
        command.args([
            "exec",
            "-i",
            "-e",
            "PGAPPNAME=kit",
            &self.name,
            program,
            "-U",
            "postgres",
        ]);
        command
    }

    fn is_by_url(&self) -> bool {
        false
    }

    fn target(&self, tool: Tool, database: &str) -> Tool {
        tool.args(["--container", &self.name, "--database", database])
    }
}
