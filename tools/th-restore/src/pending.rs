//! What becomes of a restore on its way: its renames, and what a run that died left of it.

use std::path::Path;

use th_cli::Run;
use th_postgres::{Admin, Server};
use th_state::State;
use th_state::restores::{Pending, Phase, Restore, Swap};

use crate::Error;
use crate::context::Context;
use crate::moves::{Aside, Way};

/// Returns where the files of a restore are kept beside the live ones.
pub(crate) fn asides(restore: &Restore) -> impl Iterator<Item = Aside> {
    restore
        .roots
        .iter()
        .map(|root| Aside::new(root, &restore.id))
}

/// Renames the databases; returns how many sessions were closed.
///
/// # Errors
/// [`Error::HalfWay`] when it is not known whether they were renamed: the next run asks the server
/// again, then goes on or drops it all. With any other nothing was renamed.
pub(crate) fn rename(swap: &Swap, admin: &mut Admin) -> Result<u64, Error> {
    let mut renames = Vec::new();
    if let Some(kept) = &swap.kept {
        renames.push((swap.live.as_str(), kept.as_str()));
    }
    renames.push((swap.next.as_str(), swap.live.as_str()));
    admin.rename(&renames).map_err(|error| match error {
        th_postgres::Error::InDoubt(_) => Error::from(error).half_way(),
        error => error.into(),
    })
}

/// Tells whether the renames are done: they are all or none.
fn is_renamed(swap: &Swap, admin: &mut Admin) -> Result<bool, Error> {
    Ok(!admin.has(&swap.next)?)
}

/// Drops what a restore has made, none of which is live.
pub(crate) fn discard(
    state: &State,
    restore: &Restore,
    server: Option<&Server>,
) -> Result<(), Error> {
    if let (Some(swap), Some(server)) = (&restore.database, server) {
        server.admin()?.drop(&swap.next)?;
    }
    for aside in asides(restore) {
        aside.discard()?;
    }
    Ok(Pending::clear(state)?)
}

/// Moves the files, whose databases are switched, and notes that all is done.
fn finish(state: &State, pending: &Pending) -> Result<(), Error> {
    let Pending { restore, undo, .. } = pending;
    for aside in asides(restore) {
        if *undo {
            aside.undo(pending.undo_id.as_ref())?;
        } else {
            aside.go(Way::Forth)?;
        }
    }
    Ok(restore.finish(state, *undo)?)
}

/// Tells whether an undo of files alone has anything to go on with: without a list nothing was moved.
fn is_begun(pending: &Pending) -> Result<bool, Error> {
    let ids = [Some(&pending.restore.id), pending.undo_id.as_ref()];
    for root in &pending.restore.roots {
        for id in ids.into_iter().flatten() {
            if Aside::new(root, id).is_listed()? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Refuses a restore that is not of the database and the files that are given: with flags alone the
/// state is that of the store, which others use too. `which` restore it is, is for the message.
///
/// # Errors
/// [`Error::OfAnother`].
pub(crate) fn check_given(
    context: &Context,
    restore: &Restore,
    server: Option<&Server>,
    which: &'static str,
) -> Result<(), Error> {
    let another = |theirs| Error::OfAnother { which, theirs };
    if let (Some(swap), Some(server)) = (&restore.database, server)
        && swap.live != server.database()
    {
        return Err(another(format!("database '{}'", swap.live)));
    }
    // A link to the directory is as good, and a directory that is gone is what it was called.
    let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let files = &context.env.files;
    for root in &restore.roots {
        let theirs = real(root).map_err(Error::io(root))?;
        let mut given = files.uploads.iter().chain([&files.root]);
        if !given.any(|given| real(given).is_ok_and(|given| given == theirs)) {
            return Err(another(format!("the files in '{}'", root.display())));
        }
    }
    Ok(())
}

/// Finishes or drops what a run that died left behind. Once its databases are renamed, a restore
/// is finished; before that, nothing of it is live and it is dropped.
///
/// # Errors
/// [`Error::HalfWay`] when it cannot be finished; those of [`check_given`].
pub(crate) fn recover(
    context: &Context,
    run: &mut Run,
    server: Option<&Server>,
) -> Result<(), Error> {
    let state = &context.state;
    let Some(pending) = Pending::read(state)? else {
        return Ok(());
    };
    let (restore, undo) = (&pending.restore, pending.undo);
    let set = &restore.set;
    // What was asked for may need no server, and this all the same.
    let configured = match (&restore.database, server) {
        (Some(_), None) => context.server(run)?,
        _ => None,
    };
    let server = server.or(configured.as_ref());
    check_given(context, restore, server, "unfinished")?;
    let renamed = match (&restore.database, server) {
        (Some(swap), Some(server)) => is_renamed(swap, &mut server.admin()?)?,
        (Some(_), None) => {
            return Err(Error::NoServer(
                "a restore that died has to be finished first, which needs its database server",
            ));
        }
        (None, _) => !undo || is_begun(&pending)?,
    };
    if pending.phase == Phase::Switching && renamed {
        finish(state, &pending).map_err(Error::half_way)?;
        run.changed();
        let finished = format!("finished what a dead run had begun with set {set}");
        run.done(finished.clone());
        run.warn(finished);
    } else if undo {
        // Nothing is renamed or moved yet, and nothing was made for an undo.
        Pending::clear(state)?;
        run.warn(format!(
            "an undo of set {set} had died before it began; run it again"
        ));
    } else {
        discard(state, restore, server)?;
        run.warn(format!("dropped what a dead run had made of set {set}"));
    }
    Ok(())
}
