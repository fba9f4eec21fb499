//! x
#![allow(dead_code)]
mod args;
pub use args::Args;
