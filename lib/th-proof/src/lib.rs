//! The ladder of proof: a set is read, decoded, restored into a scratch place and compared.
//!
//! Its own crate because two tools climb it: th-backup after writing a set, th-restore at any
//! later time.

mod copy;
mod error;
mod growth;
mod ladder;
mod scratch;
mod space;

pub use copy::{Copy, check_app, open};
pub use error::Error;
pub use ladder::{Ladder, Proven, reachable};
pub use scratch::{check_fits, sweep};
pub use space::{check_spaces, spaces};
