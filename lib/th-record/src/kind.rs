//! The payloads: one type for the `data` of each kind of record. docs/records.md is their manual.

mod backup;
mod freed;
mod prune;
mod restore;
mod set;

pub use backup::{Backup, BackupDatabase, BackupFiles, BackupPlan, Phase, Space};
pub use freed::{Freed, FreedDisk, FreedPart, PruneObject};
pub use prune::{PackAction, PruneAction, PrunePack, PruneSet, Pruned, SetAction, Undeleted};
pub use restore::{
    Applied, Databases, FileChanges, Gc, Removed, RestorePlan, RestorePlanStep, Shown, Undone,
    Verified,
};
pub use set::{SetItem, SetState, Sets};
