//! What comes once there is a set: proving it, and saying what was done.

use std::collections::HashSet;

use th_cli::{Outcome, Run};
use th_config::Environment;
use th_postgres::Server;
use th_proof::{Ladder, Proven};
use th_record::kind::{Backup, BackupDatabase, BackupFiles};
use th_record::{ErrorKind, Fail, Failure, Id, Manifest, Status};
use th_store::{Published, Store};

use crate::set::Set;
use crate::{Args, summary};

/// Proves the set that was published as far as is wanted.
pub(crate) fn prove(
    args: &Args,
    env: &Environment,
    run: &mut Run,
    store: &Store,
    server: Option<&Server>,
    trusted: &HashSet<String>,
    manifest: &Manifest,
) -> Result<Proven, th_proof::Error> {
    let Some(wanted) = args.prove.0 else {
        return Ok(Proven::default());
    };
    let ladder = Ladder {
        server,
        app_query: env.backup.app_query.as_deref(),
        trusted: Some(trusted),
        ..Ladder::of(store, manifest)
    };
    ladder.climb(run, wanted)
}

/// Says what was done, and how far the set is proven.
pub(crate) fn conclude(
    run: &mut Run,
    store: &Store,
    set: &Set,
    published: Published,
    proven: Result<Proven, th_proof::Error>,
) -> Outcome {
    let Published { manifest, path, .. } = published;
    let proof = match &proven {
        Ok(proven) => proven.highest(),
        // What was reached before that is noted all the same.
        Err(_) => store
            .proof(&manifest.id)
            .ok()
            .flatten()
            .and_then(|proof| proof.highest()),
    };
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
    let proven = match proven {
        Ok(proven) => proven,
        Err(error) => return unproven(run, outcome, &backup.set, &error),
    };
    match (proven.differences.first(), backup.status) {
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
    }
}

/// Says that the set is there, but that something else than the set kept it from being proven.
fn unproven(run: &Run, outcome: Outcome, set: &Id, error: &th_proof::Error) -> Outcome {
    let kind = match error.kind() {
        // The frame makes of this the signal that it was.
        _ if run.cancelled() => ErrorKind::Interrupted,
        ErrorKind::Content => ErrorKind::Content,
        _ => ErrorKind::Partial,
    };
    let next = format!("th-restore verify {set} proves it, once that is put right");
    outcome.but(
        kind,
        format!(
            "set {set} is in the store, but not proven: {}",
            Failure::of(error).message
        ),
        Some(match error.hint() {
            Some(hint) => format!("{hint}; {next}"),
            None => next,
        }),
    )
}
