//! th-docker against a real engine. Without one, every test fails and says so.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod containers;
mod death;
mod exec;
mod images;
mod kit;
mod scratch;
mod streams;
