//! Which process a scratch container belongs to, and whether that process still lives.

use std::{fs, io};

/// A process, named so that no other process on any boot of this host has the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The boot, and the namespace the process id belongs to.
    host: String,
    pid: u32,
    /// When it started, in ticks since the boot: process ids are used again.
    start: u64,
}

impl Owner {
    /// Returns this process.
    pub(crate) fn this() -> io::Result<Self> {
        let pid = std::process::id();
        Ok(Self {
            host: host()?,
            pid,
            start: start(pid)?,
        })
    }

    /// Tells whether the process named `text` is known to be dead. One of another boot is; one of
    /// another process namespace may live.
    pub(crate) fn is_dead(text: &str) -> bool {
        let Ok(host) = host() else { return false };
        let Some(owner) = Self::parse(text) else {
            return false;
        };
        if owner.host == host {
            start(owner.pid).ok() != Some(owner.start)
        } else {
            boot(&owner.host) != boot(&host)
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let host = words.next()?.to_owned();
        let pid = words.next()?.parse().ok()?;
        let start = words.next()?.parse().ok()?;
        words.next().is_none().then_some(Self { host, pid, start })
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.host, self.pid, self.start)
    }
}

fn host() -> io::Result<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let namespace = fs::read_link("/proc/self/ns/pid")?;
    Ok(format!("{}/{}", boot.trim(), namespace.display()))
}

fn boot(host: &str) -> &str {
    host.split('/').next().unwrap_or_default()
}

fn start(pid: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program, in parentheses, may hold anything; the start is field 22.
    let fields = stat
        .rsplit_once(") ")
        .map(|(_, fields)| fields)
        .unwrap_or_default();
    let start = fields
        .split(' ')
        .nth(19)
        .and_then(|start| start.parse().ok());
    start.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::Owner;

    #[test]
    fn only_what_is_surely_dead_is_dead() {
        let this = Owner::this().unwrap();
        assert_eq!(Owner::parse(&this.to_string()), Some(this.clone()));
        assert!(!Owner::is_dead(&this.to_string()));
        for (owner, dead) in [
            (
                Owner {
                    start: this.start + 1,
                    ..this.clone()
                },
                true,
            ),
            (
                Owner {
                    pid: 1 << 30,
                    ..this.clone()
                },
                true,
            ),
            (
                Owner {
                    host: "another-boot/pid:[1]".into(),
                    ..this.clone()
                },
                true,
            ),
            (
                Owner {
                    host: this.host.replace("pid:[", "pid:[9"),
                    ..this.clone()
                },
                false,
            ),
        ] {
            assert_eq!(Owner::is_dead(&owner.to_string()), dead, "{owner}");
        }
        assert!(!Owner::is_dead("not of this version"));
    }
}
