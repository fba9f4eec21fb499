//! Looking at the lanes and the sockets.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use th_record::kind::Slot;

use crate::context::Context;
use crate::doctor::sockets::{Identity, Socket, SocketState, Sockets, Step};
use crate::pending::Pending;
use crate::{Error, preflight};

/// The file systems that are in memory.
const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];

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

fn state(path: &Path) -> SocketState {
    match UnixStream::connect(path) {
        Ok(_) => SocketState::Accepts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => SocketState::Missing,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => SocketState::Dead,
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
    names
        .into_iter()
        .map(|name| {
            let metadata = fs::metadata(name).ok();
            let or_open = |value: Option<u32>| value.unwrap_or(0o777);
            Step {
                path: name.to_owned(),
                mode: or_open(metadata.as_ref().map(MetadataExt::mode)),
                uid: metadata.as_ref().map_or(0, MetadataExt::uid),
                gid: metadata.as_ref().map_or(0, MetadataExt::gid),
            }
        })
        .collect()
}
