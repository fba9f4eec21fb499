//! A throw-away server in a container.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::reaper::Reaper;
use crate::{PASSWORD, PASSWORD_IN_URL, Server, Tool};

const PATIENCE: Duration = Duration::from_secs(90);

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A container that does nothing.
#[derive(Debug)]
pub struct Idle {
    name: String,
    _reaper: Reaper,
}

impl Idle {
    /// Starts one with labels, `name=value`.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn start(labels: &[&str]) -> Result<Self> {
        let (name, reaper) = new_container()?;
        let sleep = ["--entrypoint", "sleep", "postgres:15", "600"];
        run(&name, labels, &sleep)?;
        Ok(Self {
            name,
            _reaper: reaper,
        })
    }

    /// Ends it, so that it is there and does not run.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn halt(&self) -> Result<()> {
        docker(&["kill", &self.name])
    }

    /// Returns the name of the container.
    pub fn name(&self) -> &str {
        &self.name
    }
}

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
        Self::labelled(version, &[])
    }

    /// Starts one with labels, `name=value`.
    ///
    /// # Errors
    /// Those of [`ContainerServer::start`].
    pub fn labelled(version: u32, labels: &[&str]) -> Result<Self> {
        Self::make(version, labels, &[])
    }

    /// Starts one whose `/tmp` has a size of its own, such as `8m`.
    ///
    /// # Errors
    /// Those of [`ContainerServer::start`].
    pub fn with_tmp(version: u32, size: &str) -> Result<Self> {
        let mount = format!("/tmp:size={size}");
        Self::make(version, &[], &["--tmpfs", &mount])
    }

    fn make(version: u32, labels: &[&str], options: &[&str]) -> Result<Self> {
        let (name, reaper) = new_container()?;
        let image = format!("postgres:{version}");
        let args = ["-e", "POSTGRES_PASSWORD", &image, "-c", "fsync=off"];
        run(&name, labels, &[options, &args].concat())?;
        let server = Self {
            name,
            _reaper: reaper,
        };
        server.wait()?;
        Ok(server)
    }

    /// Ends the container as a power cut does.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn halt(&self) -> Result<()> {
        docker(&["kill", &self.name])
    }

    /// Starts the server again after [`ContainerServer::halt`].
    ///
    /// # Errors
    /// Those of Docker; a server that does not come up.
    pub fn resume(&self) -> Result<()> {
        docker(&["start", &self.name])?;
        self.wait()
    }

    /// Returns the name of the container.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the address of `database` in the network of containers, with the password.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn url(&self, database: &str) -> Result<String> {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let output = Command::new("docker")
            .args(["inspect", "--format", format, &self.name])
            .output()?;
        let address = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        ensure!(!address.is_empty(), "{} has no address", self.name);
        Ok(format!(
            "postgres://postgres:{PASSWORD_IN_URL}@{address}:5432/{database}"
        ))
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

/// Returns the scratch containers that the process `pid` made and that are still there.
///
/// # Errors
/// Those of Docker.
pub fn scratch_containers(pid: u32) -> Result<Vec<String>> {
    let format = r#"{{.Names}} {{.Label "th.owner"}}"#;
    let output = Command::new("docker")
        .args([
            "ps",
            "-a",
            "--filter",
            "label=th.scratch",
            "--format",
            format,
        ])
        .output()?;
    // `name boot/namespace pid start`
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|words| words.get(2) == Some(&&*pid.to_string()))
        .map(|words| words[0].to_owned())
        .collect())
}

fn new_container() -> Result<(String, Reaper)> {
    let pid = std::process::id();
    let name = format!("th-test-{pid}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let reaper = Reaper::promise(r#"docker rm -f -v "$1""#, &[&name])?;
    Ok((name, reaper))
}

fn run(name: &str, labels: &[&str], args: &[&str]) -> Result<()> {
    let own = format!("th.test={}", std::process::id());
    let mut words = vec!["run", "-d", "--name", name, "--label", &own];
    for label in labels {
        words.extend(["--label", label]);
    }
    words.extend(args);
    docker(&words)
}

fn docker(args: &[&str]) -> Result<()> {
    let output = Command::new("docker")
        .args(args)
        .env("POSTGRES_PASSWORD", PASSWORD)
        .output()
        .context("cannot run docker")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "docker {}: {stderr}",
        args.join(" ")
    );
    Ok(())
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
