//! Looking at the lanes and the sockets.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use th_record::kind::Slot;

use crate::context::Context;
use crate::doctor::identity::{Identity, Step};
use crate::doctor::sockets::{Socket, SocketState, Sockets};
use crate::http::{self, Address};
use crate::pending::Pending;
use crate::{Error, preflight};

/// The file systems that are in memory.
const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];

/// How long a listener may take to have room for one more.
const LIMIT: Duration = Duration::from_secs(1);

/// Looks at the lanes and the sockets.
pub(in crate::doctor) fn sockets(
    context: &Context,
    worker: Option<Identity>,
) -> Result<Sockets, Error> {
    let lanes = context.lanes.dir();
    let layout = context.lanes.read()?;
    let mut sockets = Vec::new();
    for slot in Slot::ALL.into_iter().filter(|slot| layout.count(*slot) > 0) {
        for service in &context.slots.services {
            let path = context.socket(&context.run_dir(slot), &service.name);
            sockets.push(Socket {
                slot,
                state: state(&path),
                steps: steps(&path),
            });
        }
    }
    let file_system = rustix::fs::statfs(if lanes.is_dir() { lanes } else { &context.root });
    Ok(Sockets {
        lanes: lanes.to_string_lossy().into_owned(),
        layout,
        pending: Pending::read(&context.state)?.is_some(),
        longest_path: preflight::longest_path(context),
        in_memory: file_system.is_ok_and(|it| IN_MEMORY.contains(&(it.f_type as u32))),
        worker,
        sockets,
    })
}

/// Returns the directory on the way to the environment's root that nginx's workers may not pass; as long
/// as none run, one that not everybody may.
pub(crate) fn barrier(context: &Context) -> Option<PathBuf> {
    let worker = super::nginx::worker(context).unwrap_or(Identity::STRANGER);
    let mut dirs = context.root.ancestors();
    let dir = dirs.find(|dir| dir.exists() && !worker.may(&step(dir), 1))?;
    Some(dir.to_owned())
}

fn state(path: &Path) -> SocketState {
    match http::connect(&Address::Unix(path.to_owned()), LIMIT) {
        Ok(()) => SocketState::Accepts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => SocketState::Missing,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => SocketState::Dead,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => SocketState::Full,
        // What this user may not do says nothing of nginx's.
        Err(_) => SocketState::Accepts,
    }
}

/// Returns every name from the root to `path`, with no symlink among the directories.
fn steps(path: &Path) -> Vec<Step> {
    let dir = path.parent().and_then(|dir| fs::canonicalize(dir).ok());
    let path = match (dir, path.file_name()) {
        (Some(dir), Some(name)) => dir.join(name),
        _ => path.to_owned(),
    };
    let mut names: Vec<&Path> = path.ancestors().collect();
    names.reverse();
    names.into_iter().map(step).collect()
}

fn step(name: &Path) -> Step {
    let metadata = fs::metadata(name).ok();
    let or_open = |value: Option<u32>| value.unwrap_or(0o777);
    Step {
        path: name.to_owned(),
        mode: or_open(metadata.as_ref().map(MetadataExt::mode)),
        uid: metadata.as_ref().map_or(0, MetadataExt::uid),
        gid: metadata.as_ref().map_or(0, MetadataExt::gid),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn what_becomes_of_who_connects() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api.sock");
        assert_eq!(state(&path), SocketState::Missing);
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(state(&path), SocketState::Accepts);
        // As an app that hangs: it has room for one, and takes none.
        rustix::net::listen(&listener, 0).unwrap();
        drop(listener.accept().unwrap());
        let _waits = UnixStream::connect(&path).unwrap();
        assert_eq!(state(&path), SocketState::Full);
        drop(listener);
        assert_eq!(state(&path), SocketState::Dead);
    }
}
