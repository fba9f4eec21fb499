//! Taking the last restore back.

use chrono::Utc;
use th_cli::{Outcome, Run};
use th_postgres::Role;
use th_record::Id;
use th_record::kind::{Databases, Undone};
use th_state::restores::{Pending, Phase, Restore};

use crate::context::Context;
use crate::{Error, pending, preflight, summary};

/// Renames the databases back and moves the files back. What the restore had made live is kept, for
/// gc to drop.
pub(crate) fn undo(context: &Context, run: &mut Run) -> Result<Outcome, Error> {
    let server = context.server(run)?;
    let _lock = context.lock(run, server.as_ref())?;
    let last = Restore::last(&context.state)?.ok_or(Error::NoRestore)?;
    pending::check_given(context, &last, server.as_ref(), "last")?;
    // What goes out of use now is as old as this, and not as the restore.
    let id = Id::new(Utc::now());
    let mut swap = match &last.database {
        Some(swap) => {
            let undone = preflight::beside(&swap.live, Role::Undone, &id)?;
            let back = swap.back(undone);
            Some(back.ok_or_else(|| Error::NothingBefore(swap.live.clone()))?)
        }
        None => None,
    };
    let mut admin = match (&swap, &server) {
        // A signal does not stop it between the rename and the answer.
        (Some(_), Some(server)) => Some(server.uncancelled().admin()?),
        (Some(_), None) => {
            return Err(Error::NoServer(
                "the database server is needed to undo this",
            ));
        }
        (None, _) => None,
    };
    if let (Some(swap), Some(admin)) = (&mut swap, &mut admin) {
        if !admin.has(&swap.next)? {
            return Err(Error::Gone(format!("database '{}'", swap.next)));
        }
        if !admin.has(&swap.live)? {
            // Somebody has dropped it.
            swap.kept = None;
        }
    }
    for aside in pending::asides(&last) {
        if !aside.is_listed()? {
            return Err(Error::Gone(format!("'{}'", aside.dir().display())));
        }
    }
    let mut undone = Undone {
        set: last.set.clone(),
        database: swap.as_ref().map(|swap| Databases {
            live: swap.live.clone(),
            kept: swap.kept.clone(),
            closed_sessions: 0,
            rows: None,
        }),
        files_moved: 0,
    };
    if run.output.plan {
        return Ok(Outcome::plan("undone", &undone, summary::undone(&undone)));
    }
    let restore = Restore {
        database: swap,
        ..last
    };
    restore.enter(&context.state, Phase::Switching, Some(&id))?;
    if let (Some(swap), Some(admin)) = (&restore.database, &mut admin) {
        let closed = pending::rename(swap, admin).inspect_err(|error| {
            if !matches!(error, Error::HalfWay(_)) {
                // Nothing was renamed, and an undo makes nothing that would have to be dropped.
                let _ = Pending::clear(&context.state);
            }
        })?;
        run.done("switched the databases back");
        if let Some(database) = &mut undone.database {
            database.closed_sessions = closed;
        }
    }
    for aside in pending::asides(&restore) {
        // The databases are switched: a failure here is half way, and the next run goes on.
        undone.files_moved += aside.undo(Some(&id)).map_err(Error::half_way)?;
    }
    let finished = restore.finish(&context.state, true);
    finished.map_err(|error| Error::from(error).half_way())?;
    Ok(Outcome::done("undone", &undone, summary::undone(&undone)).changed())
}
