//! A Docker engine of a test's own, which may be restarted and killed.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::reaper::Reaper;

const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the engine first, lest it start anything again, and containerd last, which knows of all that
/// runs. Everybody is known by the directory.
const CLEAN_UP: &str = r#"
dir=$1
tasks() { timeout 20 ctr --address "$dir/containerd.sock" --namespace moby tasks "$@"; }
pkill -KILL -f -- "--pidfile=$dir/"
for task in $(tasks ls -q); do tasks rm -f "$task"; done
ours="(-address |--pidfile=|--config=)$dir/"
pkill -KILL -f -- "$ours"
while pgrep -f -- "$ours"; do sleep 0.05; done
awk -v "dir=$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l
rm -rf "$dir""#;

/// Without CRI, which is for Kubernetes, and listens on TCP.
const CONTAINERD: &str = r#"version = 2
root = "@DIR@/containerd"
state = "@DIR@/containerd.run"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "@DIR@/containerd.sock"
"#;

/// A dockerd with a containerd, a data directory and a network namespace of its own. Its containers
/// have no network but their own loopback.
#[derive(Debug)]
pub struct Engine {
    // Ends both and all containers, and removes the directory.
    _reaper: Reaper,
    dockerd: Option<Daemon>,
    _containerd: Daemon,
    dir: PathBuf,
    live_restore: bool,
}

/// A child that is waited for.
#[derive(Debug)]
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Engine {
    /// Starts an engine as Docker comes: its containers end with it.
    ///
    /// # Errors
    /// What dockerd or containerd said.
    pub fn plain() -> Result<Self> {
        Self::new(false)
    }

    /// Starts an engine whose containers outlive it.
    ///
    /// # Errors
    /// As [`Engine::plain`].
    pub fn live_restoring() -> Result<Self> {
        Self::new(true)
    }

    fn new(live_restore: bool) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("th-engine-").tempdir()?;
        let dir = dir.keep();
        let path = dir.to_str().context("not UTF-8")?;
        let reaper = Reaper::promise(CLEAN_UP, &[path])?;
        // Nothing of the host's own settings is for this one.
        fs::write(dir.join("dockerd.json"), "{}")?;
        fs::write(
            dir.join("containerd.toml"),
            CONTAINERD.replace("@DIR@", path),
        )?;
        let mut containerd = Command::new("containerd");
        containerd.arg(format!("--config={path}/containerd.toml"));
        let mut engine = Self {
            _reaper: reaper,
            dockerd: None,
            _containerd: daemon(containerd, &dir.join("containerd.log"))?,
            dir,
            live_restore,
        };
        engine.start()?;
        Ok(engine)
    }

    /// Starts it again after [`Engine::halt`] or [`Engine::kill`], and waits until it answers.
    ///
    /// # Errors
    /// What dockerd said.
    pub fn start(&mut self) -> Result<()> {
        let dir = self.dir.display();
        // Without a bridge dockerd removes `docker0`, which is the host's engine's. Here is none.
        let mut dockerd = Command::new("unshare");
        dockerd.args(["--net", "dockerd", "--bridge=none", "--iptables=false"]);
        dockerd.args(["--ip6tables=false", "--storage-driver=overlay2"]);
        dockerd.args([
            format!("--config-file={dir}/dockerd.json"),
            format!("--containerd={dir}/containerd.sock"),
            format!("--data-root={dir}/data"),
            format!("--exec-root={dir}/run"),
            format!("--pidfile={dir}/dockerd.pid"),
            format!("--host={}", self.host()),
        ]);
        if self.live_restore {
            dockerd.arg("--live-restore");
        }
        let start = Instant::now();
        self.dockerd = Some(daemon(dockerd, &self.dir.join("dockerd.log"))?);
        while self.docker(&["version"]).is_err() {
            let over = self.wait_briefly()? || start.elapsed() > PATIENCE;
            ensure!(!over, "the engine does not start: {}", self.last_words());
        }
        Ok(())
    }

    /// Ends it in good order.
    ///
    /// # Errors
    /// What dockerd said.
    pub fn halt(&mut self) -> Result<()> {
        let dockerd = self.dockerd.as_ref().context("it does not run")?;
        let pid = dockerd.0.id().to_string();
        Command::new("kill").args(["-s", "TERM", &pid]).output()?;
        let start = Instant::now();
        while !self.wait_briefly()? {
            if start.elapsed() > PATIENCE {
                bail!("the engine does not end: {}", self.last_words());
            }
        }
        Ok(())
    }

    /// Ends it as `kill -9` does. Its containers live on until it is started again.
    pub fn kill(&mut self) {
        self.dockerd = None;
    }

    /// Returns what `DOCKER_HOST` must say to reach it.
    pub fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.dir.display())
    }

    /// Runs docker on it, and returns what it printed.
    ///
    /// # Errors
    /// What docker said.
    pub fn docker(&self, args: &[&str]) -> Result<String> {
        crate::slots::docker_on(Some(&self.host()), args)
    }

    /// Gives it an image of the host's engine.
    ///
    /// # Errors
    /// What docker said.
    pub fn load(&self, image: &str) -> Result<()> {
        let mut save = Command::new("docker")
            .args(["save", image])
            .stdout(Stdio::piped())
            .spawn()?;
        let saved = save.stdout.take().context("no stdout")?;
        let load = Command::new("docker")
            .args(["load", "--quiet"])
            .env("DOCKER_HOST", self.host())
            .stdin(saved)
            .output()?;
        let stderr = String::from_utf8_lossy(&load.stderr);
        ensure!(save.wait()?.success(), "docker save {image} failed");
        ensure!(load.status.success(), "docker load: {stderr}");
        Ok(())
    }

    /// Waits a moment, and tells whether dockerd has ended.
    fn wait_briefly(&mut self) -> Result<bool> {
        thread::sleep(Duration::from_millis(50));
        Ok(match &mut self.dockerd {
            Some(dockerd) => dockerd.0.try_wait()?.is_some(),
            None => true,
        })
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.dir.join("dockerd.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

/// Starts a daemon that a signal to the test's process group does not reach: the reaper ends it.
fn daemon(mut command: Command, log: &Path) -> Result<Daemon> {
    let log = File::options().create(true).append(true).open(log)?;
    // dockerd is not on everyone's path.
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    let child = command
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    Ok(Daemon(child))
}
