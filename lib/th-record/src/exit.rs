//! The exit statuses, the same in every tool.

/// How a tool ended. The man pages' EXIT STATUS is generated from [`Exit::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed; nothing was changed.
    Failed = 1,
    /// Bad usage or configuration.
    Usage = 2,
    /// Finished, but some items failed.
    Partial = 3,
    /// The answer is no.
    Negative = 4,
    /// A named thing does not exist.
    NotFound = 10,
    /// Another run holds the lock.
    Locked = 11,
    /// A service cannot be reached, or timed out.
    Unreachable = 12,
    /// An input record or a gate says no.
    Gate = 13,
    /// A checksum or a fingerprint does not match; nothing live was changed.
    Content = 14,
    /// Failed, and the old state runs again.
    RolledBack = 20,
    /// Failed half way; a person is needed.
    HalfWay = 21,
    /// Ended by SIGHUP.
    HungUp = 129,
    /// Ended by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Every status with its one-line meaning, in numeric order.
    pub const ALL: &[(Self, &str)] = &[
        (Self::Done, "done, or nothing to do"),
        (Self::Failed, "failed; nothing changed"),
        (Self::Usage, "usage or configuration error"),
        (Self::Partial, "finished, some items failed"),
        (
            Self::Negative,
            "the answer is no (unhealthy, pending, unsafe)",
        ),
        (Self::NotFound, "named thing does not exist"),
        (Self::Locked, "locked by another run"),
        (
            Self::Unreachable,
            "Docker, PostgreSQL or SSH unreachable or timed out",
        ),
        (
            Self::Gate,
            "bad, missing or failed input record; a gate refused",
        ),
        (
            Self::Content,
            "content check failed (checksum, fingerprint)",
        ),
        (
            Self::RolledBack,
            "failed and rolled back: the old state runs",
        ),
        (
            Self::HalfWay,
            "failed and left half way: a person is needed",
        ),
        (Self::HungUp, "SIGHUP: cleaned up, then re-raised"),
        (Self::Interrupted, "SIGINT: cleaned up, then re-raised"),
        (Self::Terminated, "SIGTERM: cleaned up, then re-raised"),
    ];

    /// Tells whether it promises that nothing was changed.
    pub fn is_unchanged(self) -> bool {
        match self {
            Self::Failed
            | Self::Usage
            | Self::NotFound
            | Self::Locked
            | Self::Unreachable
            | Self::Gate => true,
            Self::Done
            | Self::Partial
            | Self::Negative
            | Self::Content
            | Self::RolledBack
            | Self::HalfWay
            | Self::HungUp
            | Self::Interrupted
            | Self::Terminated => false,
        }
    }

    /// Returns the number the process exits with.
    pub fn code(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn all_lists_every_status_once_in_order() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(
            codes,
            [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 129, 130, 143]
        );
    }
}
