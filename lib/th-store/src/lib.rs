//! Where sets live: a directory of sets and the packs they share, published at once or not at all.
//!
//! docs/store-format.md is the manual of what is on disk.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod brief;
mod damaged;
mod dir;
mod error;
mod incoming;
mod lease;
mod manifest;
mod notes;
mod pack;
mod presence;
mod proof;
mod pruner;
mod repack;
mod scope;
mod select;
mod set;
mod source;
mod sparse;
mod store;
mod sums;
mod survey;
mod sweep;
mod trash;
mod unused;
mod usage;
mod verify;

pub use dir::DirStore;
pub use error::Error;
pub use incoming::{Incoming, Published};
pub use lease::Share;
pub use notes::{RESTORE_FILES, restore_notes};
pub use pruner::Pruner;
pub use scope::{Scope, is_ahead};
pub use select::Selector;
pub use set::{Listed, SetRef, Unreadable};
pub use source::Source;
pub use sparse::Sparse;
pub use store::Store;
pub use survey::{PackUse, Survey, Unknown};
pub use sweep::{Sweep, Swept};
pub use trash::{Trash, Trashed};
pub use usage::free_bytes;
pub use verify::Bytes;
