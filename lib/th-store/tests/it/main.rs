//! The store against real directories.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod by_hand;
mod damage;
mod incoming;
mod kit;
mod open;
mod repack;
mod sets;
mod trash;
mod verify;
