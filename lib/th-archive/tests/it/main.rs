//! The archive against real directories.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod capture;
mod config;
mod diff;
mod hostile;
mod kit;
mod odd;
mod references;
mod speed;
mod tree;
mod unpack;
