//! Looking at all that a backup depends on.

use th_archive::Exclude;
use th_cli::Run;
use th_config::Environment;
use th_postgres::Server;
use th_state::State;
use th_store::{Listed, SetRef, Store};

use crate::plan::{Observed, ObservedDatabase, ObservedFiles};
use crate::{Args, Error};

/// How many past backups the expected duration is taken from.
const PAST: usize = 10;

/// Looks at all that a backup depends on, and changes nothing.
pub(crate) fn observe(args: &Args, env: &Environment, run: &Run) -> Result<Observed, Error> {
    let server = connect(env, run)?;
    // Before the first backup there is no store, which is no reason not to plan.
    let store = match Store::open(&env.backup.store) {
        Err(th_store::Error::Missing(_)) => None,
        other => Some(other?),
    };
    let sets = store.as_ref().map_or(Ok(Vec::new()), Store::sets)?;
    look(args, env, server.as_ref(), store.as_ref(), &sets)
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
    server: Option<&Server>,
    store: Option<&Store>,
    sets: &[Listed],
) -> Result<Observed, Error> {
    let database = match server {
        Some(server) => Some(ObservedDatabase {
            name: server.database().to_owned(),
            server: server.to_string(),
            size_bytes: server.facts(server.database())?.size_bytes,
        }),
        None => None,
    };
    let parent = match (store, sets.iter().find_map(Listed::set)) {
        (Some(store), Some(newest)) => Some(store.load(&newest.id)?),
        _ => None,
    };
    let files = match &env.files.uploads {
        Some(root) => {
            let exclude = Exclude::new(&env.files.exclude)?;
            let known = parent.as_ref().and_then(|parent| parent.files.as_ref());
            let total_bytes = match known {
                // The walk that follows tells; a plan has no other.
                Some(known) if !args.output.plan => known.total_bytes,
                _ => th_archive::total_bytes(root, &exclude)?,
            };
            Some(ObservedFiles {
                root: root.to_string_lossy().into_owned(),
                total_bytes,
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
        parent,
        free_bytes: store.map(Store::free_bytes).transpose()?,
        durations: State::at(&env.state).journal().durations("backup", PAST),
    })
}

/// Returns the newest set with files.
pub(crate) fn newest_with_files(sets: &[Listed]) -> Option<&SetRef> {
    sets.iter()
        .filter_map(Listed::set)
        .find(|set| set.files.is_some())
}
