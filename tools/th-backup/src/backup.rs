//! Making a backup: what is there is observed, then each part is written, then all is published.

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use chrono::{SubsecRound, Utc};
use th_archive::{Captured, Exclude, Previous};
use th_cli::{Outcome, Run};
use th_config::Environment;
use th_postgres::Server;
use th_proof::Ladder;
use th_record::kind::{Backup, BackupDatabase, BackupFiles};
use th_record::{
    ErrorKind, FORMAT, Files, Id, Level, Manifest, Method, Object, Status,
};
use th_state::State;
use th_store::{Listed, Published, SetRef, Store};

use crate::database::{Dumped, Source};
use crate::files::{Tree, store_config};
use crate::plan::{self, Observed, ObservedDatabase, ObservedFiles};
use crate::{Args, Error, Throttle, summary};

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

fn connect(env: &Environment, run: &Run) -> Result<Option<Server>, Error> {
    let Some(target) = &env.database else {
        return Ok(None);
    };
    let server = Server::connect(target, "th-backup", run.cancel())?;
    server.check_client("pg_dump")?;
    Ok(Some(server))
}

fn look(
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
    let files = match &env.files.uploads {
        Some(root) => {
            let exclude = Exclude::new(&env.files.exclude)?;
            let total_bytes = th_archive::total_bytes(root, &exclude)?;
            Some(ObservedFiles { root: root.to_string_lossy().into_owned(), total_bytes })
        }
        None => None,
    };
    let parent = match (store, sets.iter().find_map(Listed::set)) {
        (Some(store), Some(newest)) => Some(store.load(&newest.id)?),
        _ => None,
    };
    let config = &env.files.config;
    Ok(Observed {
        store: env.backup.store.to_string_lossy().into_owned(),
        database,
        files,
        config: config.iter().map(|name| name.to_string_lossy().into_owned()).collect(),
        prove: args.prove.0,
        parent,
        free_bytes: store.map(Store::free_bytes).transpose()?,
        durations: State::at(&env.state).journal().durations("backup", PAST),
    })
}

/// Makes the backup.
pub(crate) fn make(args: &Args, env: &Environment, run: &mut Run) -> Result<Outcome, Error> {
    let compression = args.compression(env)?;
    let exclude = Exclude::new(&env.files.exclude)?;
    let server = connect(env, run)?;
    let store = Store::create(&env.backup.store)?;
    let state = State::at(&env.state);
    let _lock = state.lock(run.tool, &run.id)?;
    for swept in store.sweep()? {
        run.warn(format!("removed what a dead run had left: '{}'", swept.path.display()));
    }
    let sets = store.sets()?;
    let observed = look(args, env, server.as_ref(), Some(&store), &sets)?;
    plan::check_space(&observed.plan()?)?;

    let start = Instant::now();
    let started_at = Utc::now().trunc_subsecs(0);
    let id = Id::new(started_at);
    let incoming = store.begin(&id)?;
    let throttle = Mutex::new(Throttle::new(args.bandwidth));

    let dumped = match &server {
        Some(server) => Some(
            Source {
                server,
                lock_wait: *args.lock_wait,
                references: env.files.references.as_deref(),
                compression,
                throttle: &throttle,
            }
            .dump(run, &incoming.dir())?,
        ),
        None => None,
    };
    let mut parts = Parts::default();
    if let Some(Dumped { database, objects, stored_bytes, references }) = dumped {
        parts.database = Some(database);
        parts.objects = objects;
        parts.dump_stored_bytes = stored_bytes;
        parts.references = references;
    }

    Ok(outcome)
}
