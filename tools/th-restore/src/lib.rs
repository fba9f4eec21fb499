//! th-restore: sets, listed, proven, put live, and taken back.

mod apply;
mod args;
mod beside;
mod choice;
mod context;
mod error;
mod files;
mod gc;
mod guard;
mod list;
mod moves;
mod parts;
mod pending;
mod plan;
mod preflight;
mod summary;
mod undo;
mod verify;

use th_cli::{Outcome, Run, Tool};
use th_state::State;

use crate::args::Command;
use crate::context::Context;

pub use args::Args;
pub use error::Error;

/// Returns who we are, and what kind of record the command of `args` makes.
pub fn tool(args: &Args) -> Tool {
    let kind = match &args.command {
        Command::List => "sets",
        Command::Show { .. } => "shown",
        Command::Verify { .. } => "verified",
        Command::Apply { .. } => "restored",
        Command::Undo { .. } => "undone",
        Command::Gc { .. } => "gc",
    };
    Tool {
        name: "th-restore",
        version: env!("CARGO_PKG_VERSION"),
        kind,
    }
}

/// Runs one command.
///
/// # Errors
/// [`Error`]; which of them leave something changed is told by their exit status.
pub fn run(args: &Args, run: &mut Run) -> Result<Outcome, Error> {
    let env = args.target.resolve()?;
    run.acts_on(env.name.as_deref(), &State::at(&env.state))?;
    let context = Context::open(env)?;
    match &args.command {
        Command::List => list::list(&context, run),
        Command::Show { set } => list::show(&context, run, set),
        Command::Verify { set, level, .. } => verify::verify(&context, run, set, *level),
        Command::Apply {
            set,
            only,
            into: None,
            ..
        } => apply::apply(&context, run, set, *only),
        Command::Apply {
            set,
            only,
            into: Some(into),
            table,
            ..
        } => beside::apply_beside(&context, run, set, *only, into, table.as_deref()),
        Command::Undo { .. } => undo::undo(&context, run),
        Command::Gc { older_than, .. } => gc::gc(&context, run, *older_than),
    }
}
