//! The test harness: scratch servers, containers, stores, and the tools under test.
//!
//! Everything here is real: servers are PostgreSQL, containers are Docker's, tools are processes.
//! What a test starts is taken away when its handle is dropped, and also when the test process
//! dies, since a reaper waits for that.

mod bad_disk;
mod cluster;
mod container;
mod ended;
mod engine;
mod leak;
mod load;
mod memory;
mod moments;
mod nginx;
mod pace;
mod reaper;
mod schema;
mod server;
mod slots;
mod snapshot;
mod store;
mod terminal;
mod tmpfs;
mod tool;

pub use bad_disk::BadDisk;
pub use cluster::Cluster;
pub use container::{ContainerServer, Idle, scratch_containers};
pub use ended::Ended;
pub use engine::Engine;
pub use leak::{ArgvWatch, files_with};
pub use load::{Counted, Load, Long, Stream, Traffic, slots_of_users};
pub use memory::PeakMemory;
pub use moments::Moments;
pub use nginx::Nginx;
pub use pace::Pace;
pub use server::{PASSWORD, PASSWORD_IN_URL, Server, everything};
pub use slots::{SlotApp, docker, docker_on};
pub use snapshot::{Tree, database_state, tree};
pub use store::Store;
pub use terminal::Shown;
pub use tmpfs::Tmpfs;
pub use tool::{Running, Tool};
