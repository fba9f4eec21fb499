//! What an environment remembers between runs: its lock, its journal, and small state files.

mod error;
mod files;
mod journal;
mod lock;

pub use error::Error;
pub use files::State;
pub use journal::{Actor, Journal};
pub use lock::{Holder, Lock};
