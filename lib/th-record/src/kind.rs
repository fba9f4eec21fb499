//! The payloads: one type for the `data` of each kind of record. docs/records.md is their manual.

mod backup;
mod canary;
mod doctor;
mod freed;
mod prune;
mod release;
mod restore;
mod set;
mod swap;

pub use backup::{Backup, BackupDatabase, BackupFiles, BackupPlan, Phase, Space};
pub use canary::{CanarySide, CanaryStep, CanaryVerdict, Compared};
pub use doctor::{Maintenance, Severity, SwapDoctor, SwapFinding, SwapUnchecked};
pub use freed::{Freed, FreedDisk, FreedPart, PruneObject};
pub use prune::{PackAction, PruneAction, PrunePack, PruneSet, Pruned, SetAction, Undeleted};
pub use release::{ReleaseItem, ReleaseState, Releases};
pub use restore::{
    Applied, Databases, FileChanges, Gc, Removed, RestorePlan, RestorePlanStep, Shown, Undone,
    Verified,
};
pub use set::{SetItem, SetState, Sets};
pub use swap::{
    GateResult, PendingSwap, Receipt, Slot, SlotStatus, SwapInit, SwapPlan, SwapStatus, SwapStep,
    Swapped, Watch,
};
