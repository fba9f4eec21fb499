//! Making a backup: what is there is observed, then each part is written, then all is published.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use th_archive::{Compression, Exclude};
use th_cli::{Outcome, Run};
use th_config::Environment;
use th_record::{FORMAT, Fail, Id, Manifest, Method};
use th_state::State;
use th_store::{Listed, Store};

use crate::conclude::{conclude, prove};
use crate::database::Source;
use crate::files::{Tree, store_config};
use crate::observe::{connect, look};
use crate::parents::Parents;
use crate::plan;
use crate::set::Set;
use crate::sweep::sweep;
use crate::{Args, Error, Throttle};

/// Makes the backup.
pub(crate) fn make(
    args: &Args,
    env: &Environment,
    exclude: &Exclude,
    compression: Compression,
    run: &mut Run,
) -> Result<Outcome, Error> {
    let server = connect(env, run)?;
    let store = Store::create(&env.backup.store)?;
    let state = State::at(&env.state);
    let _lock = state.lock(run.tool, &run.id)?;
    // Another environment may be pruning it.
    let share = run.patiently("waiting for the store", || store.share())?;
    sweep(&store, server.as_ref(), run)?;
    let sets = store.sets()?;
    let parents = Parents::find(&store, &sets, env, server.as_ref(), run)?;
    let observed = look(args, env, exclude, server.as_ref(), &parents)?;
    let (dump_bytes, files_bytes) = (observed.dump_bytes(), observed.files_bytes());
    plan::check_space(&observed.plan()?)?;
    if let Some(server) = &server
        && let Err(error @ th_postgres::Error::NewClient { .. }) = server.check_restorer()
    {
        // It hinders no backup, but this is the time to hear of it.
        let hint = error.hint().unwrap_or_default();
        run.warn(format!("no restore works from this host: {error}; {hint}"));
    }

    let start = Instant::now();
    let started_at = next_second(&sets);
    let id = Id::new(started_at);
    let incoming = store.begin(&id)?;
    drop(share);
    let throttle = Mutex::new(Throttle::new(args.bandwidth));

    let dumped = match &server {
        Some(server) => Some(
            Source {
                server,
                lock_wait: args.lock_wait,
                references: env.files.references.as_deref(),
                compression,
                expected_bytes: dump_bytes,
                throttle: &throttle,
            }
            .dump(run, &incoming.dir())?,
        ),
        None => None,
    };
    let parent = parents.files.as_ref();
    let previous = parent.and_then(|(manifest, _)| store.previous(manifest));
    for name in parents.lost_packs(previous.as_ref()) {
        run.warn(format!(
            "pack '{name}' is damaged or gone: the files that it held are packed again"
        ));
    }
    let captured = match &env.files.uploads {
        Some(root) => {
            let tree = Tree {
                root,
                exclude,
                previous: previous.as_ref(),
                compression,
                expected_bytes: files_bytes,
                throttle: &throttle,
            };
            Some(run.phase("files", |run| tree.capture(run, &incoming))?)
        }
        None => None,
    };
    let mut set = Set {
        dumped,
        captured,
        config: None,
        references: None,
        trusted: parents.proven_packs(previous.as_ref()),
    };
    set.check_references(env, &incoming)?;
    if !env.files.config.is_empty() {
        set.config = Some(store_config(&incoming, &env.files, compression)?);
    }

    let manifest = Manifest {
        format: FORMAT,
        id,
        app: env.app.clone(),
        environment: env.name.clone(),
        method: Method::Logical,
        started_at,
        finished_at: Utc::now().trunc_subsecs(0),
        duration_seconds: start.elapsed().as_secs_f64(),
        writer: format!("{} {}", run.tool, run.version),
        status: set.status(),
        pinned: args.pin,
        tags: args.tag.clone(),
        database: set.dumped.as_ref().map(|dumped| dumped.database.clone()),
        files: set.captured.as_ref().map(|captured| captured.files.clone()),
        config: set.config.as_ref().map(|(config, _)| config.clone()),
        references: set.references.clone(),
        objects: set.objects(),
        previous: parents.newest,
    };
    let notes = th_store::restore_notes(&manifest);
    let published = incoming.publish(manifest, &notes)?;
    run.done(format!("published set {}", published.manifest.id));
    // From here on there is a set, so whatever goes wrong has something to show.
    let proven = prove(
        args,
        env,
        run,
        &store,
        server.as_ref(),
        &set.trusted,
        &published.manifest,
    );
    Ok(conclude(run, &store, &set, published, proven))
}

/// Returns now. Sets are ordered by their second, and two of the same would have no order, so this
/// waits until a second comes that has none.
fn next_second(sets: &[Listed]) -> DateTime<Utc> {
    loop {
        let now = Utc::now().trunc_subsecs(0);
        let mut taken = sets.iter().filter_map(Listed::set);
        if !taken.any(|set| set.started_at == now) {
            return now;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
