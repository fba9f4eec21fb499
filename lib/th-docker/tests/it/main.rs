//! th-docker against a real engine. Without one, every test fails and says so.

mod containers;
mod death;
mod exec;
mod kit;
mod scratch;
mod streams;
mod upload;
