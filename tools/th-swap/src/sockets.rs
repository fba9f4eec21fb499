//! The connections on a unix socket, as the kernel lists them.
//!
//! An accepted connection is kept with the network namespace of its client, which is nginx's, and
//! under the path that the server knows: in a container that is the same one for both slots. What
//! tells them apart is the file that the server is bound to, which sock_diag(7) names by its inode.
//! Connections that wait to be accepted are counted with the listener, which is the container's.
//!
//! A foreign namespace is entered for that, which takes root. Nothing else tells: `/proc` has neither
//! the inode of the file nor the listener's queue, and an exec in the container no program that asks.

mod space;

use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{major, minor};
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub(crate) use space::space;
use space::{ACCEPTED, WAITING};

/// The longest path of a unix socket: `sockaddr_un` has 108 bytes, of which the last is zero.
pub(crate) const LONGEST_PATH: usize = 107;

/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP`
const DUMP: u16 = 0x301;
/// `NLMSG_ERROR`, `NLMSG_DONE`
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `1 << TCP_ESTABLISHED | 1 << TCP_LISTEN`
const STATES: u32 = 1 << 1 | 1 << LISTENING;
const LISTENING: u8 = 10;
/// `UDIAG_SHOW_VFS | UDIAG_SHOW_RQLEN`, and the attributes they ask for.
const SHOW: u32 = 2 | 16;
const VFS: u16 = 1;
const QUEUES: u16 = 4;
/// The length of a message's header, and of what a socket's message begins with.
const HEADER: usize = 16;
const SOCKET: usize = 16;

/// A file, as the kernel names it in its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    inode: u32,
    device: u32,
}

/// Returns how many connections there are on the sockets at `paths`, accepted or not, from this
/// network namespace and those of `processes`; `None` when one that may not be entered may have
/// some. A path with no socket has none, and neither has a process that is gone.
///
/// # Errors
/// Those of the kernel.
pub(crate) fn connections(paths: &[PathBuf], processes: &[u32]) -> io::Result<Option<u64>> {
    let nodes: Vec<Node> = paths.iter().filter_map(|path| node(path)).collect();
    let mut sum = count(&nodes)?;
    let mut closed = Vec::new();
    for process in foreign(processes) {
        match enter(&process, || count(&nodes)) {
            Ok(found) => sum += found?,
            // It has ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => closed.push(process),
        }
    }
    for process in &closed {
        // What waits for a listener there is listed with its client, which may be here.
        if space::may_have(process, &[ACCEPTED, WAITING], paths)?
            || space::may_have("self", &[WAITING], paths)?
        {
            return Ok(None);
        }
    }
    Ok(Some(sum))
}

/// Returns those of `processes` that have network namespaces of their own, one for each.
fn foreign(processes: &[u32]) -> Vec<String> {
    let mut seen: Vec<u64> = space("self").into_iter().collect();
    let mut foreign = Vec::new();
    for process in processes.iter().map(u32::to_string) {
        if let Some(space) = space(&process)
            && !seen.contains(&space)
        {
            seen.push(space);
            foreign.push(process);
        }
    }
    foreign
}

/// Does `work` in the network namespace of `process`.
fn enter<T: Send>(process: &str, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let space = File::open(format!("/proc/{process}/ns/net"))?;
    thread::scope(|scope| {
        // Of this thread only, which ends with it.
        let entered = scope.spawn(move || {
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(work())
        });
        entered
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread died")))
    })
}

fn node(path: &Path) -> Option<Node> {
    let file = fs::metadata(path).ok()?;
    Some(Node {
        // The kernel cuts it off in its list.
        inode: file.ino() as u32,
        // Its own form of a device's number, not that of stat(2).
        device: (major(file.dev()) << 20) | minor(file.dev()),
    })
}

/// Counts the connections on `nodes` in this network namespace.
fn count(nodes: &[Node]) -> io::Result<u64> {
    if nodes.is_empty() {
        return Ok(0);
    }
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    let kernel = SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(&socket, &request(), SendFlags::empty(), &kernel)?;
    let (mut sum, mut buffer) = (0, [MaybeUninit::<u8>::uninit(); 32 * 1024]);
    loop {
        let ((batch, _), _) = rustix::net::recv(&socket, &mut buffer, RecvFlags::empty())?;
        if batch.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (found, is_last) = read_batch(batch, nodes)?;
        sum += found;
        if is_last {
            return Ok(sum);
        }
    }
}

/// The question: all connected and listening unix sockets, with the files they are bound to.
fn request() -> Vec<u8> {
    let mut body = vec![1, 0, 0, 0]; // AF_UNIX, no protocol
    for word in [STATES, 0, SHOW, u32::MAX, u32::MAX] {
        body.extend(word.to_ne_bytes());
    }
    let length = (HEADER + body.len()) as u32;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(BY_FAMILY.to_ne_bytes());
    message.extend(DUMP.to_ne_bytes());
    message.extend([0; 8]); // sequence, process
    message.extend(body);
    message
}

/// Returns how many connections of `nodes` are in a batch of messages, and whether it is the last batch.
fn read_batch(mut batch: &[u8], nodes: &[Node]) -> io::Result<(u64, bool)> {
    let mut found = 0;
    while let (Some(length), Some(kind)) = (word(batch, 0), half(batch, 4)) {
        let length = length as usize;
        match kind {
            DONE => return Ok((found, true)),
            ERROR => {
                let errno = word(batch, HEADER).unwrap_or_default() as i32;
                return Err(io::Error::from_raw_os_error(-errno));
            }
            _ => {}
        }
        let message = batch
            .get(HEADER..length)
            .ok_or(io::ErrorKind::InvalidData)?;
        found += u64::from(connections_of(message, nodes).unwrap_or_default());
        batch = batch.get(aligned(length)..).unwrap_or_default();
    }
    Ok((found, false))
}

/// Returns how many connections a socket's message stands for: one, or of a listener those that wait.
fn connections_of(message: &[u8], nodes: &[Node]) -> Option<u32> {
    let listens = *message.get(2)? == LISTENING;
    let (mut ours, mut waiting) = (false, 0);
    let mut attributes = message.get(SOCKET..)?;
    while let (Some(length), Some(kind)) = (half(attributes, 0), half(attributes, 2)) {
        match kind {
            VFS => {
                let node = Node {
                    inode: word(attributes, 4)?,
                    device: word(attributes, 8)?,
                };
                ours = nodes.contains(&node);
            }
            QUEUES => waiting = word(attributes, 4)?,
            _ => {}
        }
        attributes = attributes
            .get(aligned(length.max(4).into())..)
            .unwrap_or_default();
    }
    Some(match (ours, listens) {
        (false, _) => 0,
        (true, true) => waiting,
        (true, false) => 1,
    })
}

fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn each_socket_has_its_own_connections_and_waiting_ones_count() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two] = ["one.sock", "two.sock"].map(|name| dir.path().join(name));
        let listener = UnixListener::bind(&one).unwrap();
        let _other = UnixListener::bind(&two).unwrap();
        let connections = |paths: &[PathBuf]| super::connections(paths, &[]).unwrap().unwrap();
        let count = |path: &PathBuf| connections(std::slice::from_ref(path));
        assert_eq!((count(&one), count(&two)), (0, 0));
        // Not accepted yet.
        let client = UnixStream::connect(&one).unwrap();
        assert_eq!((count(&one), count(&two)), (1, 0));
        let accepted = listener.accept().unwrap();
        let more: Vec<_> = (0..50)
            .map(|_| UnixStream::connect(&one).unwrap())
            .collect();
        assert_eq!((count(&one), count(&two)), (51, 0));
        drop((client, accepted, more, listener));
        assert_eq!((count(&one), count(&two)), (0, 0));
        assert_eq!(connections(&[dir.path().join("none")]), 0);
    }
}
