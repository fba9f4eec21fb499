//! Cleaning up whatever happens: a shell that waits for its stdin to close.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Runs a clean-up command when dropped, or when this process dies.
#[derive(Debug)]
pub(crate) struct Reaper {
    child: Child,
}

impl Reaper {
    /// Promises to run the shell script `script` with `args` as `$1` and so on.
    pub(crate) fn promise(script: &str, args: &[&str]) -> Result<Self> {
        let child = Command::new("setsid")
            .args(["sh", "-c"])
            .arg(format!("cat >/dev/null\n{script}"))
            .arg("reaper")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start a reaper")?;
        Ok(Self { child })
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
