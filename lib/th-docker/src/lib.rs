//! A blocking façade over the Docker API: the only crate that names bollard or tokio.
//!
//! The runtime never escapes. API calls end within [`TIMEOUT`]; streams take as long as they take,
//! and stop soon after their caller's cancel flag is set.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod builds;
mod cgroup;
mod container;
mod engine;
mod error;
mod exec;
mod head;
mod hijack;
mod image;
mod name;
mod owner;
mod presence;
mod project;
mod scratch;
mod settings;
mod stop;
mod stream;
mod tail;
mod usage;

pub use container::{Container, Labels};
pub use engine::{Docker, TIMEOUT};
pub use error::Error;
pub use exec::{AWAIT, Exec, ExecEnd, ExecInput, ExecOutput, ExecSpec, WATCHDOG};
pub use image::Image;
pub use name::split_name;
pub use presence::Presence;
pub use project::Member;
pub use scratch::{SCRATCH, Scratch, ScratchSpec};
pub use settings::Settings;
pub use usage::{CacheRecord, Usage};
