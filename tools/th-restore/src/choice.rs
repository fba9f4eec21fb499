//! Which sets `latest` and its kin choose from: those of what is given, not of a neighbour that
//! shares the store.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use th_cli::Run;
use th_postgres::Server;
use th_record::Manifest;
use th_store::{Listed, Scope, SetRef, is_ahead};

use crate::Error;
use crate::context::Context;

/// Leaves of `sets` those that a relative selector may mean. What is passed over because a clock
/// was wrong is told of.
///
/// # Errors
/// [`Error::Mixed`] when it is not clear whose sets are meant.
pub(crate) fn narrow(
    context: &Context,
    run: &mut Run,
    sets: &mut Vec<Listed>,
) -> Result<(), Error> {
    let scope = Scope(context.env.name.clone());
    retain(sets, |set| scope.group(set.source()).is_some());
    let ahead = future(sets, Utc::now());
    if !ahead.is_empty() {
        run.warn(format!(
            "passed over what is of the future, for a clock was wrong: {}",
            ahead.join(", ")
        ));
    }
    if names(sets, |set| set.database.as_ref()).len() > 1 {
        of_database(sets, context.database(run)?)?;
    }
    if scope.0.is_none() {
        of_one_environment(sets)?;
    }
    Ok(())
}

/// Warns when a set that was named by its id is of another environment, or of none or one unlike
/// ours and of another database than the one it goes into.
pub(crate) fn warn_of_another(
    context: &Context,
    run: &mut Run,
    manifest: &Manifest,
    server: Option<&Server>,
) {
    let (ours, its) = (&context.env.name, &manifest.environment);
    let id = &manifest.id;
    match (ours, its) {
        _ if ours == its => {}
        (Some(ours), Some(its)) => {
            run.warn(format!("set {id} is of environment '{its}', not '{ours}'"));
        }
        _ => {
            if let (Some(database), Some(server)) = (&manifest.database, server)
                && database.name != server.database()
            {
                run.warn(format!(
                    "set {id} is of database '{}', and goes into '{}'",
                    database.name,
                    server.database()
                ));
            }
        }
    }
}

/// Takes the sets of the future out of `sets` and returns their ids.
fn future(sets: &mut Vec<Listed>, now: DateTime<Utc>) -> Vec<String> {
    let is_ahead = |set: &SetRef| is_ahead(set.started_at, now);
    let ahead = readable(sets).filter(|set| is_ahead(set));
    let ids = ahead.map(|set| set.id.to_string()).collect();
    retain(sets, |set| !is_ahead(set));
    ids
}

/// Leaves the sets of the database that is `given`; without one, those that hold none.
fn of_database(sets: &mut Vec<Listed>, given: Option<String>) -> Result<(), Error> {
    let names = names(sets, |set| set.database.as_ref());
    retain(sets, |set| set.database == given);
    if readable(sets).next().is_some() {
        return Ok(());
    }
    Err(Error::Mixed {
        what: "databases",
        names,
        given: given.map_or("no database is given".to_owned(), |name| {
            format!("none of database '{name}'")
        }),
    })
}

fn of_one_environment(sets: &[Listed]) -> Result<(), Error> {
    let names = names(sets, |set| set.environment.as_ref());
    if names.len() < 2 {
        return Ok(());
    }
    Err(Error::Mixed {
        what: "environments",
        names,
        given: "none is given".to_owned(),
    })
}

/// Returns what the sets name, each once.
fn names(sets: &[Listed], name: impl Fn(&SetRef) -> Option<&String>) -> Vec<String> {
    let names: BTreeSet<&String> = readable(sets).filter_map(name).collect();
    names.into_iter().cloned().collect()
}

fn readable(sets: &[Listed]) -> impl Iterator<Item = &SetRef> {
    sets.iter().filter_map(Listed::set)
}

fn retain(sets: &mut Vec<Listed>, keeps: impl Fn(&SetRef) -> bool) {
    sets.retain(|listed| listed.set().is_none_or(&keeps));
}
