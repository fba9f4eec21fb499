//! Walk, tar, compress and hash in one pass; safe unpack; atomic writes.
//!
//! docs/store-format.md is the manual of the listing and the packs.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod atomic;
pub mod config;
pub mod hash;

mod ahead;
mod capped;
mod capture;
mod compress;
mod diff;
mod entry;
mod error;
mod exclude;
mod known;
mod listing;
mod member;
mod merge;
mod pack;
mod path;
mod references;
mod sparse;
mod spool;
mod steady;
mod stored;
mod timestamp;
mod tree;
mod unpack;
mod walk;
mod watch;

pub use capped::Capped;
pub use capture::{Capture, Captured, Previous};
pub use compress::{BadCompression, Compression, ZSTD_MAGIC, open};
pub use diff::{Change, Diff, Live};
pub use entry::{Content, Entry, Kind, Meta};
pub use error::Error;
pub use exclude::Exclude;
pub use hash::{Digest, Hashing};
pub use listing::{LISTING, Listing};
pub use path::{BadPath, EntryPath};
pub use references::References;
pub use stored::{Finished, Stored};
pub use timestamp::Timestamp;
pub use tree::Tree;
pub use unpack::{Opener, Unpack, Unpacked};
pub use walk::{RESERVED, total_bytes};
pub use watch::Watch;
