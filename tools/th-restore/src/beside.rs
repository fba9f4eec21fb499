//! Restoring a part beside what is live.

use std::path::Path;

use th_archive::Exclude;
use th_cli::{Outcome, Run};
use th_proof::{Copy, Ladder};
use th_record::kind::{Applied, Databases};
use th_record::{Failure, Level, SchemaObject, Table};
use th_state::restores::Swap;

use crate::args::{Part, SetArgs};
use crate::context::Context;
use crate::guard::{prove_bytes, refuse};
use crate::parts::NO_DATABASE;
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
    if let (Some(_), Some(server)) = (table, &server)
        && server.database() == into
    {
        return Err(Error::Live(into.to_owned()));
    }
    let (store, target) = (&context.store, Path::new(into));
    let everything = Exclude::default();
    let files = (only == Some(Part::Files)).then_some((target, &everything));
    // How much of the dump one table is, is not known.
    let server_of_all = server.as_ref().filter(|_| table.is_none());
    let spaces = preflight::spaces(server_of_all, &manifest, store, files)?;
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
        let plan = plan::apply(&manifest, None, targets, 0, spaces);
        return Ok(Outcome::plan("restore_plan", &plan, summary::plan(&plan)));
    }
    let _lock = context.lock(run, server.as_ref())?;
    preflight::check_spaces(&spaces)?;
    prove_bytes(context, run, &manifest)?;
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
            let server = server.as_ref().ok_or(Error::NoServer(NO_DATABASE))?;
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
    Ok(Outcome::done(
        "restored",
        &applied,
        summary::restored_beside(&applied, into),
    )
    .changed())
}

/// Restores a whole database that must not be there yet; drops it again when it is not equal.
fn restore_beside(run: &mut Run, copy: Copy<'_>) -> Result<u64, Error> {
    if copy.server.admin()?.has(copy.name)? {
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
    if let Err(error) = proven {
        Made::Database.take_back(run, &copy);
        return Err(error);
    }
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
    let known = find(&copy, schema, name)?;
    let new = !copy.server.admin()?.has(copy.name)?;
    let schema_is_new = !new && !copy.server.has_schema(copy.name, schema)?;
    let around = match (new, schema_is_new) {
        (true, _) => Some(Made::Database),
        (false, true) => Some(Made::Schema(schema)),
        (false, false) => None,
    };
    let restored = run.phase("restore_database", |run| {
        copy.restore(run, Some((schema, name)))
    });
    if let Err(error) = restored {
        // The table itself was made in one transaction.
        around.iter().for_each(|made| made.take_back(run, &copy));
        return Err(error.into());
    }
    let compared = compare_table(&copy, known);
    if let Err(error) = compared {
        let table = (!new).then_some(Made::Table(schema, name));
        let made = table.iter().chain(&around);
        made.for_each(|made| made.take_back(run, &copy));
        return Err(error);
    }
    Ok(known.rows)
}

/// Returns what the set says of the table.
fn find<'a>(copy: &Copy<'a>, schema: &str, name: &str) -> Result<&'a Table, Error> {
    let database = copy.manifest.database.as_ref();
    let print = database
        .map(|database| &database.fingerprint)
        .ok_or(Error::Nothing("the set holds no database"))?;
    let mut tables = print.tables.iter();
    if let Some(known) = tables.find(|table| table.schema == schema && table.name == name) {
        return Ok(known);
    }
    // Those without rows of their own are part of the schema only.
    let name = format!("{schema}.{name}");
    let is_listed = |it: &SchemaObject| it.kind == "table" && it.name == name;
    Err(if print.schema.iter().any(is_listed) {
        Error::Partitioned(name)
    } else {
        Error::Nothing("the set has no such table")
    })
}

fn compare_table(copy: &Copy<'_>, known: &Table) -> Result<(), Error> {
    let found = copy.server.fingerprint(copy.name, &mut |_| {})?;
    let mut tables = found.tables.iter();
    let found = tables.find(|table| table.schema == known.schema && table.name == known.name);
    let difference = th_postgres::table_difference(known, found);
    refuse(copy.manifest, difference.as_slice())
}

/// What a run has made where there was nothing.
enum Made<'a> {
    Database,
    Schema(&'a str),
    Table(&'a str, &'a str),
}

impl Made<'_> {
    /// Drops it. What cannot be dropped is told of: nobody else will.
    fn take_back(&self, run: &mut Run, copy: &Copy<'_>) {
        // A session of the run itself hears of no more once it was told to stop.
        let (server, name) = (copy.server.uncancelled(), copy.name);
        let dropped = match self {
            Self::Database => server.admin().and_then(|mut admin| admin.drop(name)),
            Self::Schema(schema) => server.drop_schema(name, schema),
            Self::Table(schema, table) => server.drop_table(name, schema, table),
        };
        if let Err(error) = dropped {
            let why = Failure::of(&error).message;
            run.changed();
            run.warn(match self {
                Self::Database => format!("database '{name}' is left: {why}"),
                Self::Schema(schema) => format!("schema '{schema}' is left in '{name}': {why}"),
                Self::Table(schema, table) => {
                    format!("table '{schema}.{table}' is left in '{name}': {why}")
                }
            });
        }
    }
}
