//! The servers of an environment, as nginx names them in its log, and the slots they belong to.

use std::path::{Path, PathBuf};

use th_config::Mode;
use th_record::kind::Slot;

use crate::Error;
use crate::context::Context;
use crate::lanes::{Lanes, Layout};

/// The servers of an environment.
#[derive(Debug)]
pub(super) enum Servers {
    /// Sockets in lanes, which change slots.
    Lanes {
        lanes: Lanes,
        layout: Option<Layout>,
    },
    /// Ports, which do not.
    Ports(Vec<(String, Slot)>),
}

impl Servers {
    pub(super) fn of(context: &Context) -> Self {
        match context.slots.mode {
            Mode::Lanes => Self::Lanes {
                lanes: context.lanes.clone(),
                layout: None,
            },
            Mode::Reload => {
                let slots = &context.slots.ports;
                let of_slot = |slot: Slot| slots.get(slot.name()).into_iter().flatten();
                let server = |slot: Slot| {
                    of_slot(slot).map(move |(_, port)| (format!("127.0.0.1:{port}"), slot))
                };
                Self::Ports(Slot::ALL.into_iter().flat_map(server).collect())
            }
        }
    }

    /// Looks where the lanes lead now.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        if let Self::Lanes { lanes, layout } = self {
            *layout = Some(lanes.read()?);
        }
        Ok(())
    }

    /// Returns the slot that `server` belongs to, if that is known; nothing for one that is none of
    /// this environment's.
    pub(super) fn slot(&self, server: &str) -> Option<Option<Slot>> {
        match self {
            Self::Lanes { lanes, layout } => {
                let number = lane(server, lanes.dir())?;
                let layout = layout.as_ref()?;
                Some(layout.lanes.get(number).copied().flatten())
            }
            Self::Ports(ports) => {
                let found = ports.iter().find(|(address, _)| address == server);
                found.map(|(_, slot)| Some(*slot))
            }
        }
    }
}

/// Returns the number of the lane that a server's socket is in.
fn lane(server: &str, dir: &Path) -> Option<usize> {
    let path = PathBuf::from(server.strip_prefix("unix:")?);
    let mut names = path.strip_prefix(dir).ok()?.iter();
    names.next()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::lane;
    use std::path::Path;

    #[test]
    fn lanes_are_told_from_those_of_another_environment() {
        let lane = |server| lane(server, Path::new("/srv/staging/run/lanes"));
        assert_eq!(lane("unix:/srv/staging/run/lanes/07/api.sock"), Some(7));
        assert_eq!(lane("unix:/srv/production/run/lanes/07/api.sock"), None);
        assert_eq!(lane("127.0.0.1:8001"), None);
    }
}
