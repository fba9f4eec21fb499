//! Running a tool under test.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{Ended, PeakMemory};

/// A tool and what to run it with. Nothing of the caller's own configuration reaches it.
#[derive(Debug)]
pub struct Tool {
    pub(crate) command: Command,
    stdin: Option<String>,
}

/// A tool that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Option<Child>,
    stdin: String,
}

impl Tool {
    /// Takes the tool `name` of `$TH_BIN_DIR`.
    ///
    /// # Errors
    /// When the variable is not set, or there is no such program.
    pub fn new(name: &str) -> Result<Self> {
        let dir = std::env::var_os("TH_BIN_DIR")
            .context("TH_BIN_DIR is not set: these tests need the built tools; run make test")?;
        let path = fs::canonicalize(Path::new(&dir).join(name))
            .with_context(|| format!("no {name} in $TH_BIN_DIR; run make test"))?;
        let mut command = Command::new(path);
        for variable in [
            "CONFIG",
            "ENV",
            "DATABASE_URL",
            "STORE",
            "RUN_ID",
            "LOCK_FD",
        ] {
            command.env_remove(format!("TH_{variable}"));
        }
        // Nobody's th.toml is here.
        command.current_dir("/");
        Ok(Self {
            command,
            stdin: None,
        })
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in `dir`, where it looks for a th.toml.
    #[must_use]
    pub fn within(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Lets the permissions of files hold for it, also when root runs it.
    #[must_use]
    pub fn heeding_permissions(self) -> Self {
        if fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
            return self;
        }
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", "-dac_override,-dac_read_search"]);
        self.under(command)
    }

    /// Lets it hear SIGHUP, also when these tests run under nohup.
    #[must_use]
    pub fn hearing_hangups(self) -> Self {
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP");
        self.under(command)
    }

    /// Lets it find nothing in `dir`, whatever is there.
    #[must_use]
    pub fn hiding(self, dir: &Path) -> Self {
        let script = r#"mount -t tmpfs tmpfs "$0" && exec "$@""#;
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]).arg(dir);
        self.under(command)
    }

    /// Lets `command` run it, with the same environment and directory.
    fn under(mut self, mut command: Command) -> Self {
        command
            .arg(self.command.get_program())
            .args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(dir) = self.command.get_current_dir() {
            command.current_dir(dir);
        }
        self.command = command;
        self
    }

    /// Feeds `text` to stdin, which is otherwise empty.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// Runs the tool to its end.
    ///
    /// # Errors
    /// When it cannot be started, or its output breaks the contract of records.
    pub fn run(self) -> Result<Ended> {
        self.start()?.wait()
    }

    /// Runs the tool with nobody to read its stdout, and returns its exit status.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run_unheard(mut self) -> Result<(i32, String)> {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        drop(child.stdout.take());
        let output = child.wait_with_output()?;
        Ok((
            code(output.status),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }

    /// Starts the tool.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut self) -> Result<Running> {
        let stdin = if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {:?}", self.command.get_program()))?;
        let stdin = self.stdin.unwrap_or_default();
        if let Some(mut pipe) = child.stdin.take() {
            // A tool that refuses its arguments reads nothing.
            let _ = pipe.write_all(stdin.as_bytes());
        }
        Ok(Running {
            child: Some(child),
            stdin,
        })
    }
}

impl Running {
    /// Waits for the end.
    ///
    /// # Errors
    /// When the output breaks the contract of records.
    pub fn wait(mut self) -> Result<Ended> {
        let child = self.child.take().context("it was waited for already")?;
        let output = child.wait_with_output()?;
        let stdout = String::from_utf8(output.stdout).context("stdout is not UTF-8")?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let (code, signal) = (code(output.status), output.status.signal());
        let record = match stdout.lines().last() {
            Some(line) => serde_json::from_str(line)
                .with_context(|| format!("the last line is no record: {line}\n{stderr}"))?,
            None => Value::Null,
        };
        let ended = Ended {
            code,
            signal,
            stdout,
            stderr,
            record,
        };
        ended.check(&self.stdin)?;
        Ok(ended)
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Tells whether it has ended by itself.
    pub fn is_over(&mut self) -> bool {
        self.child
            .as_mut()
            .is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Watches how much memory it takes.
    pub fn peak_memory(&self) -> PeakMemory {
        PeakMemory::watch(self.pid())
    }

    /// Sends a signal, such as `TERM`.
    ///
    /// # Errors
    /// When kill cannot be run.
    pub fn signal(&self, name: &str) -> Result<()> {
        Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .output()?;
        Ok(())
    }

    /// Ends it as `kill -9` does; tells whether it was still at work.
    pub fn kill(mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return false;
        };
        let _ = child.kill();
        child.wait().is_ok_and(|status| status.signal() == Some(9))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
