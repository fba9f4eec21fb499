//! Restoring a part beside what is live.

mod directory;
mod made;
mod note;

use std::path::Path;

use chrono::Utc;

use th_archive::Exclude;
use th_cli::{Outcome, Run};
use th_postgres::{LONGEST_NAME, Role};
use th_proof::{Copy, Ladder};
use th_record::kind::{Applied, Databases};
use th_record::{Id, Level, SchemaObject, Table};
use th_state::restores::Swap;

use crate::args::{Part, SetArgs};
use crate::context::Context;
use crate::guard::{prove_bytes, refuse};
use crate::parts::NO_DATABASE;
use crate::plan::{self, Targets};
use crate::{Error, files, preflight, summary};
use made::Made;
use note::Note;

pub(crate) use note::recover;

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
    let (store, target) = (context.store()?, Path::new(into));
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
            applied.files = Some(directory::fill(context, run, target, |run, dir| {
                files::unpack_into(run, store, &manifest, dir)
            })?);
        }
        Some(Part::Config) => {
            applied.config = Some(directory::fill(context, run, target, |_, dir| {
                files::config_into(store, &manifest, dir)
            })?);
        }
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
                Some(table) => (restore_table(context, run, copy, table)?, None),
                None => (restore_beside(context, run, copy)?, Some(Level::Content)),
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

/// Restores a whole database that must not be there yet.
fn restore_beside(context: &Context, run: &mut Run, copy: Copy<'_>) -> Result<u64, Error> {
    if copy.server.admin()?.has(copy.name)? {
        return Err(Error::Exists(copy.name.to_owned()));
    }
    let ladder = Ladder::of(copy.store, copy.manifest);
    make_database(context, run, copy, |run, scratch| {
        let proven = ladder.climb_in_place(run, scratch.server, scratch.name)?;
        refuse(scratch.manifest, &proven.differences)
    })?;
    Ok(copy
        .manifest
        .database
        .as_ref()
        .map_or(0, |database| database.fingerprint.rows()))
}

/// Makes the database by `work`, which is given one of another name: it gets its own once the work
/// is done.
fn make_database(
    context: &Context,
    run: &mut Run,
    copy: Copy<'_>,
    work: impl FnOnce(&mut Run, Copy<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if copy.name.len() > LONGEST_NAME {
        return Err(th_postgres::Error::LongName(copy.name.to_owned()).into());
    }
    let id = Id::new(Utc::now());
    let name = preflight::beside(copy.server.database(), Role::Restore, &id);
    // Whatever it is called, the note tells the next run.
    let name = name.unwrap_or_else(|_| Role::Restore.name("th", &id));
    let note = Note::Database { name: name.clone() };
    note.enter(&context.state)?;
    let scratch = Copy {
        name: &name,
        ..copy
    };
    let made = work(run, scratch).and_then(|()| {
        let mut admin = copy.server.uncancelled().admin()?;
        match admin.rename(&[(&name, copy.name)]) {
            Err(error @ th_postgres::Error::InDoubt(_)) => {
                run.changed();
                Err(error.into())
            }
            other => Ok(other.map(drop)?),
        }
    });
    let is_over = match &made {
        Ok(()) => {
            run.changed();
            true
        }
        Err(_) => Made::Database.take_back(run, &scratch),
    };
    if is_over {
        Note::clear(&context.state)?;
    }
    made
}

/// Restores one table into a database, which is made if it is not there.
fn restore_table(
    context: &Context,
    run: &mut Run,
    copy: Copy<'_>,
    table: &str,
) -> Result<u64, Error> {
    let (schema, name) = table
        .split_once('.')
        .ok_or(Error::Usage("a table is written schema.table"))?;
    let known = find(&copy, schema, name)?;
    let restore = |run: &mut Run, copy: Copy<'_>| -> Result<(), Error> {
        Ok(run.phase("restore_database", |run| {
            copy.restore(run, Some((schema, name)))
        })?)
    };
    if !copy.server.admin()?.has(copy.name)? {
        make_database(context, run, copy, |run, scratch| {
            restore(run, scratch)?;
            compare_table(&scratch, known)
        })?;
        return Ok(known.rows);
    }
    let around = if copy.server.has_schema(copy.name, schema)? {
        None
    } else {
        let note = Note::Schema {
            database: copy.name.to_owned(),
            schema: schema.to_owned(),
        };
        note.enter(&context.state)?;
        Some(Made::Schema(schema))
    };
    // The table itself is made in one transaction.
    let (made, restored) = match restore(run, copy) {
        Ok(()) => (Some(Made::Table(schema, name)), compare_table(&copy, known)),
        error => (None, error),
    };
    let is_over = if restored.is_ok() {
        run.changed();
        true
    } else {
        // A schema whose table stays cannot go.
        let mut made = made.iter().chain(&around);
        made.all(|made| made.take_back(run, &copy))
    };
    if around.is_some() && is_over {
        Note::clear(&context.state)?;
    }
    restored.map(|()| known.rows)
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
