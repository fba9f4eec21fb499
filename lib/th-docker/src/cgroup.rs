//! What the kernel counts for a container of this host. The engine tells it too, but takes up to a
//! second to do so.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = "/sys/fs/cgroup";

/// Returns the memory that the container `id` uses, without the page cache, which is given back when
/// someone needs it. `pid` is one of its processes; `None` when that is not on this host.
pub(crate) fn memory(id: &str, pid: u32) -> Option<u64> {
    let group = Group::of(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?, id)?;
    let usage: u64 = read(&group.dir.join(group.usage))?.trim().parse().ok()?;
    let stat = read(&group.dir.join("memory.stat"))?;
    let cache = stat.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == group.cache).then(|| value.parse::<u64>().ok())?
    });
    Some(usage.saturating_sub(cache.unwrap_or(0)))
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Where a container's memory is counted, and by which names.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    dir: PathBuf,
    usage: &'static str,
    cache: &'static str,
}

impl Group {
    /// Finds the group of the container `id` in what /proc/PID/cgroup says (cgroups(7)).
    fn of(text: &str, id: &str) -> Option<Self> {
        let groups = || {
            text.lines()
                .filter_map(|line| line.split_once(':')?.1.split_once(':'))
        };
        let dir = |base: &str, path: &str| {
            let names: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
            // An init in the container may have made groups of its own below.
            let last = names.iter().position(|name| name.contains(id))?;
            let inside: PathBuf = names[..=last].iter().collect();
            Some(Path::new(ROOT).join(base).join(inside))
        };
        let first = groups().find(|(names, _)| names.split(',').any(|name| name == "memory"));
        match first {
            Some((_, path)) => Some(Self {
                dir: dir("memory", path)?,
                usage: "memory.usage_in_bytes",
                cache: "total_inactive_file",
            }),
            None => Some(Self {
                dir: dir("", groups().find(|(names, _)| names.is_empty())?.1)?,
                usage: "memory.current",
                cache: "inactive_file",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_found_and_no_other_container() {
        let group = |text| Group::of(text, "ab12").map(|group| (group.dir, group.usage));
        let first = "9:name=systemd:/docker/ab12\n4:cpu,memory:/docker/ab12\n0::/docker/ab12\n";
        assert_eq!(
            group(first),
            Some((
                "/sys/fs/cgroup/memory/docker/ab12".into(),
                "memory.usage_in_bytes"
            ))
        );
        let second = "0::/system.slice/docker-ab12.scope\n";
        assert_eq!(
            group(second),
            Some((
                "/sys/fs/cgroup/system.slice/docker-ab12.scope".into(),
                "memory.current"
            ))
        );
        let within = "0::/system.slice/docker-ab12.scope/init.scope\n";
        assert_eq!(group(within), group(second));
        assert_eq!(group("0::/system.slice/docker-cd34.scope\n"), None);
        assert_eq!(group("0::/\n"), None);
        assert_eq!(group(""), None);
    }
}
