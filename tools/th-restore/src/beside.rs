//! Restoring a part beside what is live.

use std::path::Path;

use th_cli::{Outcome, Run};
use th_proof::{Copy, Ladder};
use th_record::Level;
use th_record::kind::{Applied, Databases};

use crate::args::{Part, SetArgs};
use crate::context::Context;
use crate::guard::{prove_bytes, refuse};
use crate::parts::NO_DATABASE;
use crate::pending::Swap;
use crate::plan::{self, Targets};
use crate::{Error, files, preflight, summary};

/// Restores one part into another database or directory, and leaves what is live alone.
pub(crate) fn apply_beside(
    context: &Context,
    run: &mut Run,
    set: &SetArgs,
    only: Option<Part>,
    into: &str,
    table: Option<&str>,
) -> Result<Outcome, Error> {
    if table.is_some() && only != Some(Part::Db) {
        return Err(Error::Usage("--table needs --only db"));
    }
    let manifest = context.manifest(set, run)?;
    let server = if only == Some(Part::Db) {
        context.server(run)?
    } else {
        None
    };
    if run.output.plan {
        let swap = Swap {
            live: into.to_owned(),
            next: into.to_owned(),
            kept: None,
        };
        let targets = Targets {
            database: (only == Some(Part::Db)).then_some(&swap),
            files: (only == Some(Part::Files)).then_some(into),
            config: (only == Some(Part::Config)).then_some(into),
        };
        let plan = plan::apply(&manifest, None, targets, 0, Vec::new());
        return Ok(Outcome::plan("restore_plan", &plan, summary::plan(&plan)));
    }
    let _lock = context.lock(run, server.as_ref())?;
    prove_bytes(context, run, &manifest)?;
    let (store, target) = (&context.store, Path::new(into));
    let mut applied = Applied {
        set: manifest.id.clone(),
        snapshot_at: manifest.started_at,
        database: None,
        files: None,
        config: None,
        proof: Some(Level::Bytes),
        undoable: false,
        phases: Vec::new(),
    };
    match only {
        Some(Part::Files) => {
            applied.files = Some(files::unpack_into(run, store, &manifest, target)?);
        }
        Some(Part::Config) => applied.config = Some(files::config_into(store, &manifest, target)?),
        Some(Part::Db) => {
            let server = server.as_ref().ok_or(Error::Usage(NO_DATABASE))?;
            preflight::check_server(server, &manifest)?;
            let copy = Copy {
                store,
                manifest: &manifest,
                server,
                name: into,
            };
            let (rows, proof) = match table {
                // It is compared, but one table proves no level of a whole set.
                Some(table) => (restore_table(run, copy, table)?, None),
                None => (restore_beside(run, copy)?, Some(Level::Content)),
            };
            applied.proof = proof;
            applied.database = Some(Databases {
                live: into.to_owned(),
                kept: None,
                closed_sessions: 0,
                rows: Some(rows),
            });
        }
        None => return Err(Error::Usage("--into needs --only db, files or config")),
    }
    applied.phases = run.take_phases();
    Ok(Outcome::done("restored", &applied, summary::applied(&applied)).changed())
}

/// Restores a whole database that must not be there yet; drops it again when it is not equal.
fn restore_beside(run: &mut Run, copy: Copy<'_>) -> Result<u64, Error> {
    let mut admin = copy.server.admin()?;
    if admin.has(copy.name)? {
        return Err(Error::Exists(copy.name.to_owned()));
    }
    let ladder = Ladder {
        store: copy.store,
        manifest: copy.manifest,
        server: None,
        app_query: None,
        trusted: None,
    };
    let proven = ladder
        .climb_in_place(run, copy.server, copy.name)
        .map_err(Error::from)
        .and_then(|proven| refuse(copy.manifest, &proven.differences));
    if proven.is_err() {
        // A session of the run itself hears of no more once it was told to stop.
        copy.server.uncancelled().admin()?.drop(copy.name)?;
    }
    proven?;
    Ok(copy
        .manifest
        .database
        .as_ref()
        .map_or(0, |database| database.fingerprint.rows()))
}

/// Restores one table into a database, which is made if it is not there.
fn restore_table(run: &mut Run, copy: Copy<'_>, table: &str) -> Result<u64, Error> {
    let (schema, name) = table
        .split_once('.')
        .ok_or(Error::Usage("a table is written schema.table"))?;
    let known = copy.manifest.database.as_ref().and_then(|database| {
        let mut tables = database.fingerprint.tables.iter();
        tables.find(|table| table.schema == schema && table.name == name)
    });
    let known = known.ok_or(Error::Nothing("the set has no such table"))?;
    run.phase("restore_database", |run| {
        copy.restore(run, Some((schema, name)))
    })?;
    let found = copy.server.fingerprint(copy.name, &mut |_| {})?;
    let mut tables = found.tables.iter();
    let found = tables.find(|table| table.schema == schema && table.name == name);
    let difference = th_postgres::table_difference(known, found);
    refuse(copy.manifest, difference.as_slice())?;
    Ok(known.rows)
}
