//! Bringing a set back from the trash.

use th_cli::{Outcome, Run};
use th_record::kind::Pruned;

use crate::Error;
use crate::context::Context;

pub(crate) fn undelete(_context: &Context, _run: &mut Run, _set: &str) -> Result<Outcome, Error> {
    Ok(Outcome::done(
        "undeleted",
        &Pruned::default(),
        String::new(),
    ))
}
