//! Pruning the sets of a store.

use th_cli::{Outcome, Run};
use th_record::kind::Pruned;

use crate::Error;
use crate::context::Context;
use crate::policy_args::PolicyArgs;

pub(crate) fn sets(
    _context: &Context,
    _run: &mut Run,
    _policy: &PolicyArgs,
) -> Result<Outcome, Error> {
    Ok(Outcome::done("pruned", &Pruned::default(), String::new()))
}
