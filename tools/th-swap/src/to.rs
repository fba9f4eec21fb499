//! Releasing a tag.

use th_cli::{Outcome, Run};

use crate::Error;
use crate::args::ReleaseArgs;
use crate::context::Context;
use crate::release::{Begun, Intent, Release};

/// Starts the release beside, proves it, gives it all of the traffic, watches, and stops the old one.
pub(crate) fn to(context: &Context, run: &mut Run, args: &ReleaseArgs) -> Result<Outcome, Error> {
    match Release::begin(context, run, &Intent::of(context, args))? {
        Begun::Plan(outcome) => Ok(outcome),
        Begun::Release(release) => release.end(|release| {
            release.boot()?;
            release.switch()?;
            release.settle()
        }),
    }
}
