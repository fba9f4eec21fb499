//! th-swap: a release gets the traffic by rename(2), proves that it lost nothing, and can go back.

mod access_log;
mod analysis;
mod args;
mod boot;
mod canary;
mod compose;
mod context;
mod doctor;
mod drain;
mod engine;
mod error;
mod front;
mod history;
mod http;
mod init;
mod lanes;
mod maintenance;
mod pending;
mod plan;
mod preflight;
mod receipt;
mod recover;
mod release;
mod reload;
mod resume;
mod rollback;
mod schema;
mod silence;
mod sockets;
mod status;
mod summary;
mod to;
mod traffic;
mod turn;
mod watch;

use th_cli::{Outcome, Run, Tool};
use th_state::{State, releases};

use crate::args::Command;
use crate::context::Context;

pub use args::Args;
pub use error::Error;

/// Returns who we are, and what kind of record the command of `args` makes.
pub fn tool(args: &Args) -> Tool {
    let kind = match &args.command {
        Command::To { .. }
        | Command::Canary { .. }
        | Command::Rollback { .. }
        | Command::Resume { .. } => "swapped",
        Command::Status => "swap_status",
        Command::History => "releases",
        Command::Doctor => "swap_doctor",
        Command::Init => "swap_init",
        Command::Maintenance { .. } => "maintenance",
    };
    Tool {
        name: "th-swap",
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
        Command::To { release, .. } => to::to(&context, run, release),
        Command::Canary {
            release, canary, ..
        } => canary::canary(&context, run, release, canary),
        Command::Rollback { to, hold, .. } => {
            rollback::rollback(&context, run, to.as_deref(), hold.map(Into::into))
        }
        Command::Status => status::status(&context, run),
        Command::History => history::history(&context, run),
        Command::Resume { .. } => resume::resume(&context, run),
        Command::Doctor => doctor::doctor(&context),
        Command::Init => init::init(&context, run),
        Command::Maintenance {
            switch,
            retry_after,
        } => maintenance::maintenance(&context, run, *switch, **retry_after),
    }
}
