//! Whom a process runs as, and where that lets it pass. Pure.

use std::path::PathBuf;

/// One name on the way to a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whom a process runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) uid: u32,
    pub(super) gids: Vec<u32>,
}

impl Identity {
    /// One of whom nothing is known.
    pub(super) const STRANGER: Self = Self {
        uid: u32::MAX,
        gids: Vec::new(),
    };

    /// Tells whether the permission `bit` (4, 2 or 1) of `step` is given.
    pub(super) fn may(&self, step: &Step, bit: u32) -> bool {
        let class = if self.uid == step.uid {
            6
        } else if self.gids.contains(&step.gid) {
            3
        } else {
            0
        };
        self.uid == 0 || step.mode >> class & bit != 0
    }

    /// Returns the first name on the way that it may not pass; to connect is to write.
    pub(super) fn blocked<'a>(&self, steps: &'a [Step]) -> Option<&'a Step> {
        let last = steps.len().saturating_sub(1);
        let bit = |n| if n == last { 2 } else { 1 };
        let mut steps = steps.iter().enumerate();
        steps
            .find(|(n, step)| !self.may(step, bit(*n)))
            .map(|(_, step)| step)
    }
}
