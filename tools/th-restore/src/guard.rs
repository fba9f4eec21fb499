//! Refusing a set that is not what its manifest says.

use th_cli::Run;
use th_proof::Ladder;
use th_record::{Difference, Level, Manifest};

use crate::Error;
use crate::context::Context;

/// Reads every byte of the set first: a damaged set is refused before anything is made of it.
pub(crate) fn prove_bytes(
    context: &Context,
    run: &mut Run,
    manifest: &Manifest,
) -> Result<(), Error> {
    let ladder = Ladder::of(context.store()?, manifest);
    refuse(manifest, &ladder.climb(run, Level::Bytes)?.differences)
}

pub(crate) fn refuse(manifest: &Manifest, differences: &[Difference]) -> Result<(), Error> {
    match differences {
        [] => Ok(()),
        [first, more @ ..] => Err(Error::Content {
            set: manifest.id.clone(),
            what: first.what.clone(),
            name: first.name.clone(),
            more: more.len(),
        }),
    }
}
