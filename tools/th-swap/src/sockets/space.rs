//! Network namespaces, as far as they can be seen without being entered.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The state of a server's socket that is connected, and of one that waits to be accepted.
pub(super) const ACCEPTED: &str = "03";
pub(super) const WAITING: &str = "02";

/// Returns what tells the network namespace of `process` from others; `None` when it is gone.
/// `ns/net` says it too, but not to everyone.
pub(crate) fn space(process: &str) -> Option<u64> {
    let table = fs::metadata(format!("/proc/{process}/net/unix")).ok()?;
    Some(table.ino())
}

/// Tells whether the namespace of `process` has connections in one of `states` on sockets with the
/// names of `paths`. Whether on these very sockets is not to be seen: a path is the server's own.
///
/// # Errors
/// Those of the kernel.
pub(super) fn may_have(
    process: &str,
    states: &[&str],
    paths: &[impl AsRef<Path>],
) -> io::Result<bool> {
    let rows = fs::read_to_string(format!("/proc/{process}/net/unix"))?;
    Ok(rows.lines().any(|row| has(row, states, paths)))
}

fn has(row: &str, states: &[&str], paths: &[impl AsRef<Path>]) -> bool {
    // A row is: number, references, protocol, flags, type, state, inode, path.
    let words: Vec<&str> = row.split_whitespace().collect();
    let [_, _, _, _, _, state, _, path] = words[..] else {
        return false;
    };
    let named = |known: &Path| known.file_name() == Path::new(path).file_name();
    states.contains(&state) && paths.iter().any(|known| named(known.as_ref()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn what_waits_is_seen_and_a_listener_is_no_connection() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("waits.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let has = |state, name: &str| may_have("self", &[state], &[Path::new(name)]).unwrap();
        let elsewhere = "/run/th/waits.sock";
        assert!(!has(WAITING, elsewhere) && !has(ACCEPTED, elsewhere));
        let client = UnixStream::connect(&path).unwrap();
        assert!(has(WAITING, elsewhere) && !has(ACCEPTED, elsewhere));
        let accepted = listener.accept().unwrap();
        assert!(!has(WAITING, elsewhere) && has(ACCEPTED, elsewhere));
        assert!(!has(ACCEPTED, "/run/th/other.sock"));
        drop((client, accepted));
        assert!(!has(ACCEPTED, elsewhere));
    }
}
