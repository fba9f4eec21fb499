//! Bringing a set back from the trash.

use th_cli::{Outcome, Run};
use th_record::kind::Undeleted;
use th_store::Trashed;

use crate::context::Context;
use crate::{Error, summary};

/// Nothing about the set has changed: the policy that took it may do so again.
const AGAIN: &str = "the next th-prune sets may move it to the trash again, where it stays for the grace once \
                     more: restore from it before, or let a rule keep it, such as a longer --keep-within";

/// Moves the set whose id begins with `prefix` out of the trash.
pub(crate) fn undelete(context: &Context, run: &mut Run, prefix: &str) -> Result<Outcome, Error> {
    let store = context.store()?;
    let _lock = context.lock(run)?;
    let pruner = context.pruner(&store, run)?;
    let trash = store.trash()?;
    let trashed = pick(&trash.sets, prefix)?;
    let undeleted = Undeleted {
        set: trashed.id.clone(),
        store: store.path().to_string_lossy().into_owned(),
        deleted_at: trashed.deleted_at,
    };
    let summary = summary::undeleted(&undeleted);
    let Some(pruner) = pruner else {
        return Ok(Outcome::plan("undeleted", &undeleted, summary));
    };
    pruner.undelete(trashed)?;
    run.changed();
    run.warn(AGAIN);
    Ok(Outcome::done("undeleted", &undeleted, summary))
}

fn pick<'a>(sets: &'a [Trashed], prefix: &str) -> Result<&'a Trashed, Error> {
    // Less than a year is nobody's beginning.
    let begins = |set: &&Trashed| prefix.len() >= 4 && set.id.as_str().starts_with(prefix);
    let mut found = sets.iter().filter(begins);
    match (found.next(), found.next()) {
        (None, _) => Err(Error::NotInTrash(prefix.to_owned())),
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(Error::Ambiguous {
            prefix: prefix.to_owned(),
            candidates: (sets.iter().filter(begins))
                .map(|set| set.id.to_string())
                .collect(),
        }),
    }
}
