//! The lanes and the sockets they lead to. Pure.

use th_record::kind::{Slot, SwapFinding};

use super::finding::problem;
use super::identity::{Identity, Step};
use crate::lanes::Layout;
use crate::sockets::LONGEST_PATH;

/// What was seen of the lanes and the sockets.
#[derive(Debug, Clone)]
pub(super) struct Sockets {
    pub(super) lanes: String,
    pub(super) layout: Layout,
    /// Whether a swap or a canary is going on.
    pub(super) pending: bool,
    /// The longest path that nginx or a service has to use.
    pub(super) longest_path: String,
    /// Whether the files are in memory, which a reboot empties.
    pub(super) in_memory: bool,
    /// Whom nginx's workers run as; `None` when none run.
    pub(super) worker: Option<Identity>,
    /// Those of the slots that lanes lead to.
    pub(super) sockets: Vec<Socket>,
}

/// A socket of a slot.
#[derive(Debug, Clone)]
pub(super) struct Socket {
    pub(super) slot: Slot,
    pub(super) state: SocketState,
    /// The directories from the root to it, and it.
    pub(super) steps: Vec<Step>,
}

/// What becomes of who connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SocketState {
    Accepts,
    Missing,
    /// It is there, and nobody listens.
    Dead,
    /// Somebody listens, and takes no connection.
    Full,
}

impl Sockets {
    /// Returns what is wrong.
    pub(super) fn findings(&self) -> Vec<SwapFinding> {
        let mut found = Vec::new();
        if self.longest_path.len() > LONGEST_PATH {
            found.push(problem(
                "socket_path",
                &self.longest_path,
                format!(
                    "{} bytes, and a socket's path has at most {LONGEST_PATH}",
                    self.longest_path.len()
                ),
                "choose a shorter root",
            ));
        }
        if self.in_memory {
            found.push(problem(
                "lanes_in_memory",
                &self.lanes,
                "they are in memory: a reboot leaves none",
                "move the root to a disk",
            ));
        }
        self.lanes(&mut found);
        for socket in &self.sockets {
            found.extend(self.socket(socket));
        }
        found
    }

    fn lanes(&self, found: &mut Vec<SwapFinding>) {
        let all = self.layout.lanes.len();
        let broken = usize::from(self.layout.broken());
        if broken == all {
            found.push(problem(
                "lanes_missing",
                &self.lanes,
                "there are no lanes",
                "run th-swap init, then th-swap to",
            ));
        } else if broken > 0 {
            found.push(problem(
                "lanes_broken",
                &self.lanes,
                format!("{broken} of {all} lanes lead to no slot"),
                "run th-swap resume",
            ));
        } else if self.layout.slot().is_none() && !self.pending {
            found.push(problem(
                "lanes_split",
                &self.lanes,
                "they lead to both slots, and no canary is going on",
                "run th-swap resume",
            ));
        }
    }

    fn socket(&self, socket: &Socket) -> Option<SwapFinding> {
        let path = socket.steps.last()?.path.to_string_lossy().into_owned();
        let slot = socket.slot;
        let stale = |found: &str| {
            Some(problem(
                "stale_lanes",
                &path,
                format!("lanes lead to {slot}, and {found}"),
                "start that slot again, or run th-swap resume; restart: unless-stopped does it after a reboot",
            ))
        };
        match socket.state {
            SocketState::Missing => return stale("its socket is not there"),
            SocketState::Dead => return stale("nobody listens on its socket"),
            SocketState::Full => {
                return Some(problem(
                    "socket_full",
                    &path,
                    format!("{slot} listens, and accepts no connection: its queue is full"),
                    "the service hangs: release a repaired one, or start that slot again",
                ));
            }
            SocketState::Accepts => {}
        }
        let worker = self.worker.as_ref()?;
        let step = worker.blocked(&socket.steps)?;
        let is_socket = step.path.to_string_lossy() == path;
        let fix = if is_socket { "666" } else { "o+x" };
        Some(problem(
            "socket_permission",
            &path,
            format!(
                "nginx's workers (uid {}) may not pass '{}', mode {:o}",
                worker.uid,
                step.path.display(),
                step.mode & 0o7777
            ),
            if is_socket {
                format!("let the service create it with mode {fix}")
            } else {
                format!("chmod {fix} '{}'", step.path.display())
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(path: &str, mode: u32, uid: u32, gid: u32) -> Step {
        Step {
            path: path.into(),
            mode,
            uid,
            gid,
        }
    }

    fn sockets(lanes: Vec<Option<Slot>>, sockets: Vec<Socket>) -> Sockets {
        Sockets {
            lanes: "/r/run/lanes".into(),
            layout: Layout { lanes },
            pending: false,
            longest_path: "/r/run/lanes/00/api.sock".into(),
            in_memory: false,
            worker: Some(Identity {
                uid: 33,
                gids: vec![33],
            }),
            sockets,
        }
    }

    fn socket(state: SocketState, steps: Vec<Step>) -> Socket {
        Socket {
            slot: Slot::Blue,
            state,
            steps,
        }
    }

    fn open() -> Vec<Step> {
        vec![
            step("/", 0o755, 0, 0),
            step("/r", 0o751, 1000, 1000),
            step("/r/api.sock", 0o140666, 10001, 10001),
        ]
    }

    fn names(sockets: &Sockets) -> Vec<String> {
        sockets.findings().into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn a_good_one_is_silent() {
        let good = sockets(
            vec![Some(Slot::Blue); 3],
            vec![socket(SocketState::Accepts, open())],
        );
        assert_eq!(names(&good), [""; 0]);
    }

    #[test]
    fn each_class_of_user_is_judged_by_its_own_bits() {
        let with = |steps| {
            sockets(
                vec![Some(Slot::Blue)],
                vec![socket(SocketState::Accepts, steps)],
            )
        };
        let mut steps = open();
        steps[1].mode = 0o750;
        let found = with(steps.clone()).findings();
        assert_eq!(found[0].name, "socket_permission");
        assert_eq!(found[0].fix, "chmod o+x '/r'");
        steps[1].gid = 33;
        assert_eq!(names(&with(steps.clone())), [""; 0]);
        steps[1].uid = 33;
        steps[1].mode = 0o071;
        assert_eq!(
            names(&with(steps)),
            ["socket_permission"],
            "the owner's bits count for the owner"
        );
        let mut steps = open();
        steps[2].mode = 0o140644;
        assert!(with(steps).findings()[0].fix.contains("666"));
    }

    #[test]
    fn lanes_and_sockets_after_a_reboot() {
        let both = vec![Some(Slot::Blue), Some(Slot::Green)];
        let mut split = sockets(both, vec![socket(SocketState::Dead, open())]);
        assert_eq!(names(&split), ["lanes_split", "stale_lanes"]);
        split.pending = true;
        assert_eq!(names(&split), ["stale_lanes"]);
        split.sockets[0].state = SocketState::Full;
        assert_eq!(names(&split), ["socket_full"]);
        assert_eq!(names(&sockets(vec![None, None], vec![])), ["lanes_missing"]);
        assert_eq!(
            names(&sockets(vec![Some(Slot::Blue), None], vec![])),
            ["lanes_broken"]
        );
    }

    #[test]
    fn a_path_of_108_bytes_is_too_long() {
        let mut long = sockets(vec![Some(Slot::Blue)], vec![]);
        long.longest_path = "x".repeat(107);
        assert_eq!(names(&long), [""; 0]);
        long.longest_path.push('x');
        assert_eq!(names(&long), ["socket_path"]);
    }
}
