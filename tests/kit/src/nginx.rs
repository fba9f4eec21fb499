//! A throw-away nginx on loopback, with a configuration of its own.

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::reaper::Reaper;

const PATIENCE: Duration = Duration::from_secs(10);

/// An nginx master with its workers.
#[derive(Debug)]
pub struct Nginx {
    // Ended before the directory goes.
    _reaper: Reaper,
    dir: TempDir,
    port: u16,
}

impl Nginx {
    /// Starts an nginx whose `http` block holds what `http` returns for its port.
    ///
    /// # Errors
    /// What nginx said.
    pub fn start(http: impl FnOnce(u16) -> String) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("th-nginx-").tempdir()?;
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let path = dir.path().to_str().context("not UTF-8")?;
        let stop = r#"kill -s TERM "$(cat "$1/pid")"; while kill -0 "$(cat "$1/pid")"; do sleep 0.05; done"#;
        let reaper = Reaper::promise(stop, &[path])?;
        let nginx = Self {
            _reaper: reaper,
            dir,
            port,
        };
        nginx.configure(&http(port))?;
        nginx.resume()?;
        Ok(nginx)
    }

    /// Writes another `http` block, which is read at the next reload or start.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn configure(&self, http: &str) -> Result<()> {
        let dir = self.dir.path().display();
        let text = format!(
            "user www-data;\nworker_processes 2;\nworker_shutdown_timeout 60s;\npid {dir}/pid;\n\
             error_log {dir}/error.log warn;\nevents {{ worker_connections 1024; }}\n\
             http {{\n{http}\n}}\n"
        );
        Ok(fs::write(self.config(), text)?)
    }

    /// Starts it, or starts it again after [`Nginx::halt`].
    ///
    /// # Errors
    /// What nginx said.
    pub fn resume(&self) -> Result<()> {
        let output = self.command().output().context("cannot run nginx")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "nginx: {said}");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            ensure!(
                start.elapsed() < PATIENCE,
                "nginx does not answer: {}",
                self.errors()
            );
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// When nginx cannot be run.
    pub fn halt(&self) -> Result<()> {
        self.command().args(["-s", "stop"]).output()?;
        let start = Instant::now();
        while self.dir.path().join("pid").exists() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Has it read its configuration again.
    ///
    /// # Errors
    /// What nginx said.
    pub fn reload(&self) -> Result<()> {
        let output = self.command().args(["-s", "reload"]).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "nginx -s reload: {said}");
        Ok(())
    }

    /// Returns where it listens, `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns its configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.path().join("nginx.conf")
    }

    /// Returns the file with its process id.
    pub fn pid(&self) -> PathBuf {
        self.dir.path().join("pid")
    }

    /// Returns its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns its error log.
    pub fn errors(&self) -> String {
        fs::read_to_string(self.dir.path().join("error.log")).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(self.dir.path())
            .arg("-c")
            .arg(self.config());
        command.env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
        command
    }
}
