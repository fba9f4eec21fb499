//! What a run is making beside the live, so that the next one finds it should this one die.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use th_cli::Run;
use th_postgres::Server;
use th_record::{Failure, Id};
use th_state::State;
use th_state::restores::Phase;

use super::directory::Filling;
use crate::Error;
use crate::context::Context;

const NAME: &str = "restore.beside.json";

/// What is being made where nothing was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Note {
    /// The content of a directory.
    Directory {
        /// The directory.
        root: PathBuf,
        /// What its files are written under, until all are there.
        id: Id,
        /// Whether the directory itself was not there.
        made: bool,
        /// While it is staging, nothing is in its place yet.
        phase: Phase,
    },
    /// A database, which gets the name that was asked for once it is proven.
    Database {
        /// The name it has until then.
        name: String,
    },
    /// A schema, for a table.
    Schema {
        /// The database.
        database: String,
        /// The schema.
        schema: String,
    },
}

impl Note {
    /// Notes it, durably.
    pub(super) fn enter(&self, state: &State) -> Result<(), Error> {
        Ok(state.write(NAME, self)?)
    }

    /// Forgets what is made, or taken back.
    pub(super) fn clear(state: &State) -> Result<(), Error> {
        Ok(state.remove(NAME)?)
    }
}

/// Finishes or removes what a run that died was making beside the live. What cannot be removed is
/// told of, and is in the way of nothing.
pub(crate) fn recover(
    context: &Context,
    run: &mut Run,
    server: Option<&Server>,
) -> Result<(), Error> {
    let state = &context.state;
    let Some(note) = state.read(NAME)? else {
        return Ok(());
    };
    // What was asked for may need no server, and this all the same; but not so much as to fail.
    let configured = match (&note, server) {
        (Note::Directory { .. }, _) | (_, Some(_)) => None,
        _ => context.server(run).ok().flatten(),
    };
    let (what, recovered) = match (note, server.or(configured.as_ref())) {
        (
            Note::Directory {
                root,
                id,
                made,
                phase,
            },
            _,
        ) => {
            let filling = Filling::new(&root, &id, made);
            let what = root.display().to_string();
            match phase {
                Phase::Staging => (what, filling.take_back().map(|()| true)),
                Phase::Switching => {
                    let finished = filling.finish();
                    if finished.is_ok() {
                        run.changed();
                        run.warn(format!("finished what a dead run had begun with '{what}'"));
                    }
                    (what, finished.map(|()| false))
                }
            }
        }
        // The next run that reaches the server sees to it.
        (_, None) => return Ok(()),
        (Note::Database { name }, Some(server)) => {
            let what = format!("database {name}");
            (what, drop_database(server, &name))
        }
        (Note::Schema { database, schema }, Some(server)) => {
            let what = format!("schema {schema} of database {database}");
            (what, drop_schema(server, &database, &schema))
        }
    };
    match recovered {
        Ok(removed) => {
            if removed {
                run.swept(what);
            }
            Note::clear(state)
        }
        Err(error) => {
            let why = Failure::of(&error).message;
            run.warn(format!("a dead run has left '{what}': {why}"));
            Ok(())
        }
    }
}

/// Drops the database if it is there, or is being made still.
fn drop_database(server: &Server, name: &str) -> Result<bool, Error> {
    let mut admin = server.admin()?;
    let is_there = admin.has(name)?;
    admin.drop(name)?;
    Ok(is_there)
}

/// Drops the schema if it is empty; tells whether it did.
fn drop_schema(server: &Server, database: &str, schema: &str) -> Result<bool, Error> {
    match server.drop_schema(database, schema) {
        // dependent_objects_still_exist: it came so far as to fill it.
        Err(th_postgres::Error::Sql { sqlstate, .. }) if sqlstate == "2BP01" => Ok(false),
        Err(th_postgres::Error::NoDatabase { .. }) => Ok(false),
        other => Ok(other.map(|()| true)?),
    }
}
