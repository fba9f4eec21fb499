//! Making a backup: what is there is observed, then each part is written, then all is published.

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use th_archive::{Captured, Exclude};
use th_cli::{Outcome, Run};
use th_config::Environment;
use th_postgres::Server;
use th_proof::Ladder;
use th_record::kind::{Backup, BackupDatabase, BackupFiles};
use th_record::{
    Config, ErrorKind, FORMAT, Id, Level, Manifest, Method, Object, References, Status,
};
use th_state::State;
use th_store::{Incoming, Listed, Published, SetRef, Store};

use crate::database::{Dumped, Source};
use crate::files::{Tree, check_references, store_config};
use crate::observe::{connect, look, newest_with_files};
use crate::plan;
use crate::sweep::sweep;
use crate::{Args, Error, Throttle, summary};

/// Makes the backup.
pub(crate) fn make(args: &Args, env: &Environment, run: &mut Run) -> Result<Outcome, Error> {
    let compression = args.compression(env)?;
    let exclude = Exclude::new(&env.files.exclude)?;
    let server = connect(env, run)?;
    let store = Store::create(&env.backup.store)?;
    let state = State::at(&env.state);
    let _lock = state.lock(run.tool, &run.id)?;
    sweep(&store, server.as_ref(), run)?;
    let sets = store.sets()?;
    let observed = look(args, env, server.as_ref(), Some(&store), &sets)?;
    plan::check_space(&observed.plan()?)?;

    let start = Instant::now();
    let started_at = next_second(sets.iter().find_map(Listed::set));
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
    let parent = match newest_with_files(&sets) {
        Some(set) => Some((set, store.load(&set.id)?)),
        None => None,
    };
    let previous = parent
        .as_ref()
        .and_then(|(_, manifest)| store.previous(manifest));
    let captured = match &env.files.uploads {
        Some(root) => {
            let tree = Tree {
                root,
                exclude: &exclude,
                previous: previous.as_ref(),
                compression,
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
        trusted: parent.map_or_else(HashSet::new, |(set, manifest)| proven_packs(set, manifest)),
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
        previous: sets
            .iter()
            .find_map(Listed::set)
            .map(|newest| th_record::Previous {
                id: newest.id.clone(),
                manifest_sha256: newest.manifest_sha256.clone(),
            }),
    };
    let notes = th_store::restore_notes(&manifest);
    let published = incoming.publish(manifest, &notes)?;
    run.done(format!("published set {}", published.manifest.id));
    conclude(args, env, run, &store, server.as_ref(), &set, published)
}

/// Returns now. Sets are ordered by their second, and two of the same would have no order, so this
/// waits until the second of the newest is over.
fn next_second(newest: Option<&SetRef>) -> DateTime<Utc> {
    loop {
        let now = Utc::now().trunc_subsecs(0);
        if newest.is_none_or(|newest| newest.started_at != now) {
            return now;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the packs of a set that are known to hold: those of one whose bytes were proven.
fn proven_packs(set: &SetRef, manifest: Manifest) -> HashSet<String> {
    let packs = manifest.files.into_iter().flat_map(|files| files.packs);
    packs
        .filter(|_| set.level().is_some())
        .map(|pack| pack.name)
        .collect()
}

/// The parts of a set that are written.
struct Set {
    dumped: Option<Dumped>,
    captured: Option<Captured>,
    config: Option<(Config, Object)>,
    references: Option<References>,
    /// Packs of the set before, which its own proof has read: they are not read again every night.
    trusted: HashSet<String>,
}

impl Set {
    fn check_references(&mut self, env: &Environment, incoming: &Incoming) -> Result<(), Error> {
        let paths = self
            .dumped
            .as_mut()
            .and_then(|dumped| dumped.references.take());
        if let (Some(root), Some(paths), Some(captured)) =
            (&env.files.uploads, paths, &self.captured)
        {
            let listing = incoming.dir().join(&captured.listing.name);
            self.references = Some(check_references(root, paths, &listing)?);
        }
        Ok(())
    }

    fn objects(&self) -> Vec<Object> {
        let dumped = self.dumped.iter().flat_map(|dumped| dumped.objects.iter());
        let listing = self.captured.iter().map(|captured| &captured.listing);
        let config = self.config.iter().map(|(_, object)| object);
        dumped.chain(listing).chain(config).cloned().collect()
    }

    fn unreadable(&self) -> u64 {
        self.captured
            .as_ref()
            .map_or(0, |captured| captured.files.unreadable_count)
    }

    fn missing(&self) -> u64 {
        self.references
            .as_ref()
            .map_or(0, |references| references.missing_count)
    }

    fn status(&self) -> Status {
        if self.unreadable() + self.missing() == 0 {
            Status::Complete
        } else {
            Status::Degraded
        }
    }
}

/// Proves the set that was published, and says what was done.
fn conclude(
    args: &Args,
    env: &Environment,
    run: &mut Run,
    store: &Store,
    server: Option<&Server>,
    set: &Set,
    published: Published,
) -> Result<Outcome, Error> {
    let Published { manifest, path, .. } = published;
    let mut differences = Vec::new();
    let mut proof = None;
    if let Some(wanted) = args.prove.0 {
        let ladder = Ladder {
            store,
            manifest: &manifest,
            server,
            app_query: env.backup.app_query.as_deref(),
            trusted: Some(&set.trusted),
        };
        // Without a database there is nothing above `bytes` to prove.
        let wanted = if manifest.database.is_some() {
            wanted
        } else {
            Level::Bytes
        };
        let proven = ladder.climb(run, wanted)?;
        proof = proven.highest();
        differences = proven.differences;
    }
    let stored_files = set
        .captured
        .as_ref()
        .map_or(0, |captured| captured.stored_bytes);
    let backup = Backup {
        set: manifest.id.clone(),
        store: store.path().to_string_lossy().into_owned(),
        path: path.to_string_lossy().into_owned(),
        snapshot_at: manifest.started_at,
        status: manifest.status,
        proof,
        database: set.dumped.as_ref().map(|dumped| BackupDatabase {
            name: dumped.database.name.clone(),
            server_version: dumped.database.server_version.clone(),
            tables: dumped.database.fingerprint.tables.len() as u64,
            rows: dumped.database.fingerprint.rows(),
            dump_bytes: dumped.database.dump_bytes,
            stored_bytes: dumped.stored_bytes,
        }),
        files: set.captured.as_ref().map(|captured| BackupFiles {
            count: captured.files.count,
            total_bytes: captured.files.total_bytes,
            new_count: captured.files.new_count,
            new_bytes: captured.files.new_bytes,
            stored_bytes: captured.stored_bytes,
            unreadable_count: captured.files.unreadable_count,
        }),
        config_count: manifest
            .config
            .as_ref()
            .map_or(0, |config| config.names.len() as u64),
        references: set.references.clone(),
        stored_bytes: manifest
            .objects
            .iter()
            .map(|object| object.bytes)
            .sum::<u64>()
            + stored_files,
        pinned: manifest.pinned,
        tags: manifest.tags.clone(),
        phases: run.take_phases(),
    };
    let outcome = Outcome::done("backup", &backup, summary::backup(&backup)).changed();
    Ok(match (differences.first(), backup.status) {
        (Some(first), _) => outcome.but(
            ErrorKind::Content,
            format!(
                "set {} does not hold: {} '{}'",
                backup.set, first.what, first.name
            ),
            Some(format!(
                "th-restore verify {} says more; back up again",
                backup.set
            )),
        ),
        (None, Status::Degraded) => outcome.but(
            ErrorKind::Partial,
            format!(
                "set {} is degraded: {} files could not be read, {} referenced files are missing",
                backup.set,
                set.unreadable(),
                set.missing()
            ),
            Some(format!("th-restore show {} names them", backup.set)),
        ),
        (None, Status::Complete) => outcome,
    })
}
