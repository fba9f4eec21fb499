//! Proving a set.

use th_cli::{Outcome, Run};
use th_proof::{Ladder, reachable};
use th_record::kind::Verified;
use th_record::{ErrorKind, Level};

use crate::args::SetArgs;
use crate::context::Context;
use crate::{Error, summary};

/// Climbs the ladder up to `wanted`.
pub(crate) fn verify(
    context: &Context,
    run: &mut Run,
    set: &SetArgs,
    wanted: Level,
) -> Result<Outcome, Error> {
    let manifest = context.manifest(set, run)?;
    let store = context.store()?;
    let wanted = reachable(&manifest, wanted);
    if run.output.plan {
        let plan = crate::plan::verify(&manifest, wanted);
        return Ok(Outcome::plan("restore_plan", &plan, summary::plan(&plan)));
    }
    let server = if wanted > Level::Bytes {
        context.server(run)?
    } else {
        None
    };
    let _lock = context.lock(run, server.as_ref())?;
    let void = match store.proof(&manifest.id) {
        Err(error @ th_store::Error::Proof { .. }) => Some(error.to_string()),
        // It is read again now.
        Err(th_store::Error::Pack { .. }) => None,
        other => other.map(|_| None)?,
    };
    let ladder = Ladder {
        server: server.as_ref(),
        app_query: context.env.backup.app_query.as_deref(),
        ..Ladder::of(store, &manifest)
    };
    let proven = ladder.climb(run, wanted)?;
    let noted = proven.noted;
    let verified = Verified {
        set: manifest.id.clone(),
        wanted,
        reached: proven.highest(),
        scratch: proven.scratch.map(str::to_owned),
        differences: proven.differences,
        phases: run.take_phases(),
    };
    let outcome = Outcome::done("verified", &verified, summary::verified(&verified));
    // Levels that were reached, or no longer are, are noted on the set.
    let outcome = if noted { outcome.changed() } else { outcome };
    let set = &verified.set;
    Ok(match (verified.differences.as_slice(), void) {
        ([], None) => outcome,
        ([], Some(void)) => outcome.but(
            ErrorKind::Content,
            if noted {
                format!("{void}; it was replaced by this proof")
            } else {
                void
            },
            Some("look for what damaged the store: its other files may be damaged too".into()),
        ),
        ([first, more @ ..], _) => outcome.but(
            ErrorKind::Content,
            format!(
                "set {set} does not hold: {} '{}' differs, and {} more",
                first.what,
                first.name,
                more.len()
            ),
            Some("do not count on this set; back up again".into()),
        ),
    })
}
