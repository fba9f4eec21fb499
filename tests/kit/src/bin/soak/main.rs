//! Many releases under load, counted, and beside them what one would do without th-swap.
//!
//! Without --config it runs on the witness, an app of its own; with it on any app of that th.toml.
//! The figures go to stdout as a table, what is going on to stderr.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's program, which speaks to a person"
)]

mod canary;
mod others;
mod releases;
mod streams;
mod subject;
mod table;

use anyhow::Result;

use subject::Subject;
use table::Table;

fn main() -> Result<()> {
    let subject = Subject::from_arguments()?;
    let mut table = Table::default();
    releases::soak(&subject, &mut table)?;
    releases::way_back(&subject, &mut table)?;
    canary::share(&subject, &mut table)?;
    if subject.compare > 0 {
        others::reloads(&subject, &mut table)?;
        others::rollouts(&subject, &mut table)?;
    }
    table.print();
    table.verdict()
}
