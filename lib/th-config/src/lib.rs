//! th.toml and flags, resolved once into an immutable [`Environment`].

mod args;
mod document;
mod duration;
mod environment;
mod error;
mod nearest;
mod origin;
mod retention;
mod secret;
mod slots;

pub use args::TargetArgs;
pub use duration::duration;
pub use environment::{Backup, Database, Environment, Files, Server};
pub use error::Error;
pub use retention::{Retention, Word};
pub use secret::Secret;
pub use slots::{Mode, Nginx, Service, Slots};
