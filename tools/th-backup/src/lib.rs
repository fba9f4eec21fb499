//! th-backup: one set of one instant, and how far it is proven.

mod args;
mod backup;
mod conclude;
mod database;
mod error;
mod files;
mod observe;
mod parents;
mod plan;
mod set;
mod summary;
mod sweep;
mod throttle;

use th_cli::{Outcome, Run, Tool};
use th_record::Level;

pub use args::Args;
pub use error::Error;

pub(crate) use throttle::Throttle;

/// Returns who we are, and what kind of record any `args` make.
pub fn tool(_args: &Args) -> Tool {
    Tool {
        name: "th-backup",
        version: env!("CARGO_PKG_VERSION"),
        kind: "backup",
    }
}

/// Makes a backup, or plans one.
///
/// # Errors
/// [`Error`]; nothing of a set is left in the store then.
pub fn run(args: &Args, run: &mut Run) -> Result<Outcome, Error> {
    let env = args.resolve()?;
    run.acts_on(env.name.as_deref(), &th_state::State::at(&env.state))?;
    let exclude = args.exclude(&env)?;
    let compression = args.compression(&env)?;
    env.check_nesting(|path| exclude.matches(path))?;
    if args.prove.0 == Some(Level::App) && env.backup.app_query.is_none() {
        return Err(th_proof::Error::NoQuery.into());
    }
    if run.output.plan {
        let plan = observe::observe(args, &env, &exclude, run)?.plan()?;
        return Ok(Outcome::plan("backup_plan", &plan, summary::plan(&plan)));
    }
    backup::make(args, &env, &exclude, compression, run)
}
