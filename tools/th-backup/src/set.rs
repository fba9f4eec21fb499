//! The parts of a set that are written, before they are one.

use std::collections::HashSet;

use th_archive::Captured;
use th_config::Environment;
use th_record::{Config, Object, References, Status};
use th_store::Incoming;

use crate::Error;
use crate::database::Dumped;
use crate::files::check_references;

/// The parts of a set that are written.
pub(crate) struct Set {
    pub(crate) dumped: Option<Dumped>,
    pub(crate) captured: Option<Captured>,
    pub(crate) config: Option<(Config, Object)>,
    pub(crate) references: Option<References>,
    /// Packs of the set before, which its own proof has read: they are not read again every night.
    pub(crate) trusted: HashSet<String>,
}

impl Set {
    pub(crate) fn check_references(
        &mut self,
        env: &Environment,
        incoming: &Incoming,
    ) -> Result<(), Error> {
        let paths = self
            .dumped
            .as_mut()
            .and_then(|dumped| dumped.references.take());
        if let (Some(root), Some(paths), Some(captured)) =
            (&env.files.uploads, paths, &self.captured)
        {
            let listing = incoming.dir().join(&captured.listing.name);
            self.references = Some(check_references(root, paths, &listing)?);
        }
        Ok(())
    }

    pub(crate) fn objects(&self) -> Vec<Object> {
        let dumped = self.dumped.iter().flat_map(|dumped| dumped.objects.iter());
        let listing = self.captured.iter().map(|captured| &captured.listing);
        let config = self.config.iter().map(|(_, object)| object);
        dumped.chain(listing).chain(config).cloned().collect()
    }

    pub(crate) fn unreadable(&self) -> u64 {
        self.captured
            .as_ref()
            .map_or(0, |captured| captured.files.unreadable_count)
    }

    pub(crate) fn missing(&self) -> u64 {
        self.references
            .as_ref()
            .map_or(0, |references| references.missing_count)
    }

    pub(crate) fn status(&self) -> Status {
        if self.unreadable() + self.missing() == 0 {
            Status::Complete
        } else {
            Status::Degraded
        }
    }
}
