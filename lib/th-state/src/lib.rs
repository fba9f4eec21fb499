//! What an environment remembers between runs: its lock, its journal, and small state files. Those
//! that more than one tool reads have their types here.

pub mod releases;
pub mod restores;

mod error;
mod files;
mod held;
mod journal;
mod lock;

pub use error::Error;
pub use files::State;
pub use journal::{Actor, Journal};
pub use lock::{Holder, Lock};
