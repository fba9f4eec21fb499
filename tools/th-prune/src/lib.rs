//! th-prune: old sets, images, leftover databases, logs and build caches, by what is to be kept.

mod args;
mod bucket;
mod builds;
mod context;
mod databases;
mod error;
mod filter;
mod floor;
mod free;
mod group;
mod images;
mod item;
mod limit;
mod logs;
mod objects;
mod packs;
mod plan;
mod policy;
mod policy_args;
mod rule;
mod sets;
mod summary;
mod trash;
mod undelete;
mod within;

use th_cli::{Outcome, Run, Tool};

use crate::args::Command;
use crate::context::Context;

pub use args::Args;
pub use error::Error;

/// Returns who we are, and what kind of record the command of `args` makes.
pub fn tool(args: &Args) -> Tool {
    let kind = match &args.command {
        Some(Command::Sets { .. } | Command::Plan { .. }) => "pruned",
        Some(Command::Undelete { .. }) => "undeleted",
        Some(
            Command::Images { .. }
            | Command::Databases { .. }
            | Command::Logs { .. }
            | Command::Builds { .. },
        )
        | None => "freed",
    };
    Tool {
        name: "th-prune",
        version: env!("CARGO_PKG_VERSION"),
        kind,
    }
}

/// Runs one command.
///
/// # Errors
/// [`Error`]; which of them leave something changed is told by their exit status.
pub fn run(args: &Args, run: &mut Run) -> Result<Outcome, Error> {
    if args.command.is_some() && args.target_free.is_some() {
        return Err(Error::Usage("--target-free takes no command"));
    }
    if let Some(Command::Plan { policy, .. }) = &args.command {
        return filter::filter(args, run, policy);
    }
    let context = Context::resolve(args, run)?;
    act(args, &context, run).map_err(|error| match error {
        Error::Config(error) => context.env.locate(error).into(),
        error => error,
    })
}

fn act(args: &Args, context: &Context, run: &mut Run) -> Result<Outcome, Error> {
    match &args.command {
        Some(Command::Sets { policy, .. }) => sets::sets(context, run, policy),
        Some(Command::Undelete { set, .. }) => undelete::undelete(context, run, set),
        Some(Command::Images { keep, .. }) => objects::alone(context, run, |run, room| {
            images::part(context, run, keep, room)
        }),
        Some(Command::Databases { older_than, .. }) => objects::alone(context, run, |run, room| {
            databases::part(context, run, *older_than, room)
        }),
        Some(Command::Logs { older_than, .. }) => objects::alone(context, run, |run, room| {
            logs::part(context, run, *older_than, room)
        }),
        Some(Command::Builds { older_than, .. }) => objects::alone(context, run, |run, room| {
            builds::part(context, run, *older_than, room)
        }),
        Some(Command::Plan { .. }) | None => free::free(context, run, args.target_free),
    }
}
