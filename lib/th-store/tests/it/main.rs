//! The store against real directories.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod by_hand;
mod by_hand_shells;
mod damage;
mod damage_large;
mod damaged;
mod incoming;
mod kit;
mod open;
mod repack;
mod sets;
mod trash;
mod verify;
