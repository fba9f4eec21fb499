//! Looking at all that a backup depends on.

use std::path::PathBuf;

use th_archive::Exclude;
use th_cli::Run;
use th_config::Environment;
use th_postgres::Server;
use th_record::Level;
use th_state::State;
use th_state::restores::{Pending, Phase};
use th_store::{Store, free_bytes};

use crate::database::try_references;
use crate::parents::Parents;
use crate::plan::{Observed, ObservedDatabase, ObservedFiles};
use crate::{Args, Error};

/// How many past backups the expected duration is taken from.
const PAST: usize = 10;

/// Looks at all that a backup depends on, and changes nothing.
pub(crate) fn observe(
    args: &Args,
    env: &Environment,
    exclude: &Exclude,
    run: &mut Run,
) -> Result<Observed, Error> {
    let server = connect(env, run)?;
    // Before the first backup there is no store, which is no reason not to plan.
    let parents = match Store::open(&env.backup.store) {
        Err(th_store::Error::Missing(_)) => Parents::default(),
        store => {
            let store = store?;
            Parents::find(&store, &store.sets()?, env, server.as_ref(), run)?
        }
    };
    look(args, env, exclude, server.as_ref(), &parents)
}

pub(crate) fn connect(env: &Environment, run: &Run) -> Result<Option<Server>, Error> {
    let Some(target) = &env.database else {
        return Ok(None);
    };
    let server = Server::connect(target, "th-backup", run.cancel())?;
    server.check_client("pg_dump")?;
    Ok(Some(server))
}

pub(crate) fn look(
    args: &Args,
    env: &Environment,
    exclude: &Exclude,
    server: Option<&Server>,
    parents: &Parents,
) -> Result<Observed, Error> {
    check_pending(env)?;
    // Better known now than after a long dump.
    th_archive::config::check(&env.files.root, &env.files.config)?;
    if let (Some(server), Some(query)) = (server, &env.files.references) {
        try_references(server, query, args.lock_wait)
            .map_err(|error| wrong_references(env, error))?;
    }
    if let (Some(server), Some(level)) = (server, args.prove.0)
        && level > Level::Bytes
    {
        if level > Level::Decode {
            server.check_restorer()?;
        } else {
            server.check_client("pg_restore")?;
        }
    }
    let database = match server {
        Some(server) => Some(ObservedDatabase {
            name: server.database().to_owned(),
            server: server.to_string(),
            size_bytes: server.facts(server.database())?.size_bytes,
            last: parents.last_dump(),
        }),
        None => None,
    };
    let files = match &env.files.uploads {
        Some(root) => {
            let last = parents.last_files();
            let total_bytes = match &last {
                // The walk that follows tells; a plan has no other.
                Some(last) if !args.output.plan => last.total_bytes,
                _ => th_archive::total_bytes(root, exclude)?,
            };
            Some(ObservedFiles {
                root: root.to_string_lossy().into_owned(),
                total_bytes,
                last,
            })
        }
        None => None,
    };
    let config = &env.files.config;
    Ok(Observed {
        store: env.backup.store.to_string_lossy().into_owned(),
        database,
        files,
        config: config
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect(),
        prove: args.prove.0,
        free_bytes: free_bytes(&env.backup.store),
        durations: State::at(&env.state).journal().durations("backup", PAST),
    })
}

/// Points a query that the server does not understand at its line of th.toml.
fn wrong_references(env: &Environment, error: th_postgres::Error) -> Error {
    match &error {
        // syntax_error_or_access_rule_violation, but insufficient_privilege
        th_postgres::Error::Sql { sqlstate, .. }
            if sqlstate.starts_with("42") && sqlstate != "42501" => {}
        _ => return error.into(),
    }
    let (setting, message) = ("files.references", error.to_string());
    let error = th_config::Error::Value { setting, message };
    env.locate(error).into()
}

/// Refuses files that a restore which died has moved only some of. A database is renamed as a whole.
fn check_pending(env: &Environment) -> Result<(), Error> {
    let files = &env.files;
    let config = (!files.config.is_empty()).then_some(&files.root);
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let mut roots = files.uploads.iter().chain(config).map(real);
    match Pending::read(&State::at(&env.state))? {
        Some(Pending {
            restore,
            phase: Phase::Switching,
            ..
        }) if roots.any(|root| restore.roots.iter().map(real).any(|moved| moved == root)) => {
            Err(Error::HalfRestored(restore.set))
        }
        _ => Ok(()),
    }
}
