//! The second phase: what has been in the trash long enough goes for good.

use th_record::Id;
use th_record::kind::SetAction;
use th_store::{Trash, Trashed};

use crate::floor::Floor;
use crate::sets::Prune;
use crate::{Error, item};

/// Removes from the trash what has been there for the grace, oldest last.
pub(crate) fn empty(prune: &mut Prune<'_>, trash: &Trash) -> Result<(), Error> {
    for trashed in &trash.sets {
        let mut item = item::trashed(trashed);
        // A time that has not come yet is a wrong clock's.
        let over = prune.now - trashed.deleted_at >= prune.policy.grace;
        let floor = prune.holds(trashed);
        if floor == Some(Floor::Unreadable) {
            prune.run.warn(format!(
                "'{}' in the trash stays: its manifest cannot be read",
                trashed.id
            ));
        }
        if let Some(floor) = floor.or((!over).then_some(Floor::Grace)) {
            item.blocked_by.push(floor.name().to_owned());
            item.reasons.push(floor.reason().to_owned());
        } else {
            prune.check()?;
            item.action = SetAction::Purge;
            item.reasons
                .push("it has been in the trash long enough".to_owned());
            if let Err(error) = prune.purge(trashed) {
                prune.fail(&mut item.error, &error);
            }
        }
        if item.action == SetAction::Keep || item.error.is_some() {
            prune.totals.trash_count += 1;
        }
        prune.print(&item);
    }
    for name in &trash.foreign {
        prune
            .run
            .warn(format!("'{name}' in the trash stays: it is not a set"));
    }
    Ok(())
}

impl Prune<'_> {
    /// Removes a set that this run has moved to the trash.
    pub(crate) fn purge_discarded(&mut self, id: &Id) -> Result<(), th_store::Error> {
        if self.pruner.is_none() {
            self.gone.insert(id.clone());
            self.totals.purged_count += 1;
            self.totals.purged_bytes += self.store.set_bytes(id)?;
            return Ok(());
        }
        let trash = self.store.trash()?;
        let trashed = trash.sets.iter().find(|trashed| trashed.id == *id);
        trashed.map_or(Ok(()), |trashed| self.purge(trashed))
    }

    /// Returns what keeps a set in the trash however long it has been there.
    fn holds(&self, trashed: &Trashed) -> Option<Floor> {
        match trashed
            .source
            .clone()
            .map(|source| self.scope.group(source))
        {
            Some(None) => Some(Floor::OtherEnvironment),
            Some(Some(group)) => self.freeze.of(&group),
            // It may be of another environment.
            None => Some(Floor::Unreadable),
        }
    }

    fn purge(&mut self, trashed: &Trashed) -> Result<(), th_store::Error> {
        let bytes = trashed.bytes()?;
        if let Some(pruner) = &self.pruner {
            let purged = pruner.purge(trashed);
            if !trashed.is_there() {
                self.run.changed();
            }
            purged?;
            self.did(format!("removed '{}' for good", trashed.id));
        }
        self.gone.insert(trashed.id.clone());
        self.totals.purged_count += 1;
        self.totals.purged_bytes += bytes;
        Ok(())
    }
}
