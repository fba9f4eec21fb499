//! Removing what runs that died have left.

use th_cli::Run;
use th_postgres::Server;
use th_record::Failure;
use th_store::Store;

use crate::Error;

/// Removes half-written sets, and the scratch of proofs. A backup is worth more than either: one
/// that may not remove them goes on.
pub(crate) fn sweep(store: &Store, server: Option<&Server>, run: &mut Run) -> Result<(), Error> {
    let sweep = store.sweep()?;
    for swept in sweep.swept {
        run.swept(swept.path.display());
    }
    for error in sweep.failed {
        run.warn(format!(
            "cannot remove what dead runs have left: {}",
            Failure::of(&error).message
        ));
    }
    let scratch = server.map_or(Ok(Vec::new()), th_proof::sweep);
    match scratch {
        Ok(names) => names.into_iter().for_each(|name| run.swept(name)),
        Err(error) => run.warn(format!(
            "cannot remove what dead runs have left: {}",
            Failure::of(&error).message
        )),
    }
    Ok(())
}
