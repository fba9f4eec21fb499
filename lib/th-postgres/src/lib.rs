//! PostgreSQL by its own client programs: the host's, or those of the server's container.

mod admin;
mod beside;
mod call;
mod cause;
mod compare;
mod create;
mod error;
mod facts;
mod fingerprint;
mod globals;
mod language;
mod program;
mod questions;
mod quote;
mod refusal;
mod rename;
mod restore;
mod server;
mod session;
mod sessions;
mod snapshot;
mod toc;
mod url;

pub use admin::Admin;
pub use beside::{Beside, LONGEST_NAME, Listed, Role};
pub use call::{Call, Script};
pub use compare::{differences, table_difference};
pub use error::Error;
pub use facts::Facts;
pub use program::{Input, Output, Pipe, Program};
pub use restore::{Dump, Manner, Stream};
pub use server::Server;
pub use session::Session;
pub use snapshot::Snapshot;
pub use toc::Toc;
