//! The nginx of this host: its program, and its processes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;
use crate::context::Context;

/// Where Debian and nginx.org keep the master's process id.
const PID: &str = "/run/nginx.pid";

/// The nginx of this host.
#[derive(Debug, Clone)]
pub(crate) struct Nginx {
    config: Option<PathBuf>,
    pid: Option<PathBuf>,
}

/// A worker process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(crate) pid: i32,
    /// Whether it takes no new connections any more.
    pub(crate) leaving: bool,
}

impl Nginx {
    /// Takes what the environment says of it.
    pub(crate) fn of(context: &Context) -> Self {
        let nginx = &context.slots.nginx;
        Self {
            config: nginx.config.clone(),
            pid: nginx.pid.clone(),
        }
    }

    /// Returns the version, `1.22.1`.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub(crate) fn version(&self) -> io::Result<Option<(u32, u32, u32)>> {
        let output = run(["-v"])?;
        Ok(parse_version(&String::from_utf8_lossy(&output.stderr)))
    }

    /// Returns the whole configuration as it is on disk, or why nginx refuses it.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub(crate) fn dump(&self) -> io::Result<Result<String, String>> {
        let output = run(self.choice("-T"))?;
        Ok(if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(complaint(&output))
        })
    }

    /// Has nginx read the configuration on disk, without using it; returns why it refuses it.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub(crate) fn test(&self) -> io::Result<Result<(), String>> {
        let output = run(self.choice("-t"))?;
        Ok(if output.status.success() {
            Ok(())
        } else {
            Err(complaint(&output))
        })
    }

    /// Returns the master process. `configured` is what the configuration calls its pid file.
    ///
    /// # Errors
    /// [`Error::NginxDown`].
    pub(crate) fn master(&self, configured: Option<&Path>) -> Result<i32, Error> {
        let path = self.pid.as_deref().or(configured).unwrap_or(Path::new(PID));
        let down = |why: &str| Error::NginxDown(format!("'{}' {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|_| down("cannot be read"))?;
        let pid: i32 = text
            .trim()
            .parse()
            .map_err(|_| down("holds no process id"))?;
        if title(pid).is_some_and(|title| title.starts_with("nginx: master")) {
            Ok(pid)
        } else {
            Err(down("names a process that is no nginx"))
        }
    }

    /// Returns what to run it with: as it runs now, unless the settings say otherwise.
    fn choice(&self, what: &str) -> Vec<OsString> {
        let title = self.master(None).ok().and_then(title).unwrap_or_default();
        let told = |option| told(&title, option).map(OsString::from);
        let config = self.config.clone().map(PathBuf::into_os_string);
        let mut args = vec![what.into()];
        for (option, value) in [("-p", told("-p")), ("-c", config.or_else(|| told("-c")))] {
            args.extend(value.into_iter().flat_map(|value| [option.into(), value]));
        }
        args
    }
}

/// Returns the value of an option in the title of a master, which has its command line.
fn told<'a>(title: &'a str, option: &str) -> Option<&'a str> {
    let mut words = title.split_whitespace();
    words.find(|word| *word == option)?;
    words.next()
}

/// Tells the master to read its configuration again. That it was told says nothing of whether it
/// did.
pub(crate) fn reload(master: i32) -> Result<(), Error> {
    let pid = Pid::from_raw(master).ok_or_else(|| Error::NginxDown("no process".to_owned()))?;
    kill_process(pid, Signal::HUP).map_err(|errno| Error::NginxDown(errno.to_string()))
}

/// Returns the workers of `master`.
pub(crate) fn workers(master: i32) -> Vec<Worker> {
    let path = format!("/proc/{master}/task/{master}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .filter_map(|pid| {
            let title = title(pid)?;
            let worker = title.starts_with("nginx: worker process");
            worker.then(|| Worker {
                pid,
                leaving: title.contains("shutting down"),
            })
        })
        .collect()
}

/// Returns what a process calls itself.
fn title(pid: i32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.trim_end_matches('\0').to_owned())
}

fn run(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> io::Result<Output> {
    // Not every user has it in the path.
    let found = Path::new("/usr/sbin/nginx");
    let program = if found.exists() {
        found
    } else {
        Path::new("nginx")
    };
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
}

/// Returns the lines that say why, without the time and the process in front.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    complaints(&text)
        .last()
        .cloned()
        .unwrap_or_else(|| text.trim().to_owned())
}

/// Returns what a log or nginx itself says is wrong.
pub(crate) fn complaints(text: &str) -> Vec<String> {
    let after = |line: &str| {
        let (_, rest) = ["[emerg] ", "[alert] "]
            .iter()
            .find_map(|level| line.split_once(level))?;
        // In the log, `1234#1234: ` comes first.
        let (process, words) = rest.split_once(": ").unwrap_or(("", rest));
        let words = if process.contains('#') { words } else { rest };
        Some(words.trim().to_owned())
    };
    text.lines().filter_map(after).collect()
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let (_, rest) = text.split_once("nginx/")?;
    let mut numbers = rest
        .split(|c: char| c != '.' && !c.is_ascii_digit())
        .next()?
        .split('.')
        .map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_follows() {
        let version = |text| parse_version(text);
        assert_eq!(version("nginx version: nginx/1.22.1\n"), Some((1, 22, 1)));
        assert_eq!(
            version("nginx version: nginx/1.29.6 (Ubuntu)"),
            Some((1, 29, 6))
        );
        assert_eq!(version("nginx version: openresty/1.27.1.2"), None);
    }

    #[test]
    fn a_master_tells_what_it_runs_with() {
        let title = "nginx: master process nginx -p /srv/n/ -c n.conf";
        assert_eq!(told(title, "-p"), Some("/srv/n/"));
        assert_eq!(told(title, "-c"), Some("n.conf"));
        assert_eq!(told(title, "-e"), None);
        assert_eq!(told("nginx: master process nginx -c", "-c"), None);
        let own = std::process::id().cast_signed();
        assert!(!super::title(own).unwrap().ends_with('\0'));
    }

    #[test]
    fn complaints_lose_what_is_in_front_of_them() {
        let text = "nginx: [warn] x\nnginx: [emerg] unknown directive \"a\" in /x:3\n\
                    2026/11/23 02:00:00 [emerg] 12#12: still could not bind()\n";
        let wanted = ["unknown directive \"a\" in /x:3", "still could not bind()"];
        assert_eq!(complaints(text), wanted);
    }
}
