//! One instant of a database, shared between sessions and `pg_dump`.

use std::time::Duration;

use serde::Deserialize;
use th_docker::AWAIT;

use crate::call::{Call, Script};
use crate::fingerprint::{self, Positions};
use crate::program::Program;
use crate::quote::FIRST;
use crate::session::Session;
use crate::{Error, Facts, Server};
use th_record::Fingerprint;

/// Follows [`AWAIT`].
const COMPRESS: &str = include_str!("sh/compress.sh");

/// An exported snapshot. It lives as long as this value.
#[derive(Debug)]
pub struct Snapshot {
    session: Session,
    id: String,
    pid: i32,
    lock_wait: Duration,
}

impl Snapshot {
    /// Takes a snapshot of `database`. Whoever reads it gives up on a table that stays locked for
    /// `lock_wait`.
    ///
    /// # Errors
    /// Those of the session.
    pub fn take(server: &Server, database: &str, lock_wait: Duration) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Exported {
            id: String,
            pid: i32,
        }
        let mut session = server.session(database)?;
        session.execute(&format!("SET lock_timeout = {};", lock_wait.as_millis()))?;
        session.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;")?;
        let Exported { id, pid } =
            session.one("SELECT pg_export_snapshot() AS id, pg_backend_pid() AS pid")?;
        Ok(Self {
            session,
            id,
            pid,
            lock_wait,
        })
    }

    /// Starts a `pg_dump` of this snapshot in the custom format, uncompressed: what comes after it
    /// compresses better and on more cores. With a level, a container that has zstd sends the dump
    /// compressed by it: what comes begins with the magic number of either format.
    ///
    /// # Errors
    /// Those of [`Server::start`].
    pub fn dump(
        &self,
        server: &Server,
        database: &str,
        zstd: Option<i32>,
    ) -> Result<Program, Error> {
        let script = [AWAIT, COMPRESS].concat();
        let level = zstd.map(|level| [level.to_string()]);
        let args = [
            "--format=custom".to_owned(),
            "--compress=0".to_owned(),
            "--no-password".to_owned(),
            format!("--snapshot={}", self.id),
            format!("--lock-wait-timeout={}", self.lock_wait.as_millis()),
        ];
        let options = server.options("");
        server.start(&Call {
            script: level.as_ref().map(|level| Script {
                text: &script,
                args: level,
            }),
            program: "pg_dump",
            args: &args,
            env: &[("PGOPTIONS", &options)],
            database: Some(database),
            ..Call::default()
        })
    }

    /// Returns the server's process that holds the snapshot, for [`Admin::end`](crate::Admin::end).
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Returns what the database is made of.
    ///
    /// # Errors
    /// Those of the session.
    pub fn facts(&mut self) -> Result<Facts, Error> {
        Facts::read(&mut self.session, "current_database()")
    }

    /// Returns the fingerprint of the snapshot. `on_table` is told the name of each table before
    /// it is read.
    ///
    /// # Errors
    /// Those of the session.
    pub fn fingerprint(&mut self, on_table: &mut dyn FnMut(&str)) -> Result<Fingerprint, Error> {
        fingerprint::take(&mut self.session, on_table)
    }

    /// Reads where the sequences are now, once the dump has ended.
    ///
    /// # Errors
    /// Those of the session.
    pub fn sequences_after(&mut self, fingerprint: &mut Fingerprint) -> Result<(), Error> {
        Positions::read(&mut self.session)?.note_after(fingerprint);
        Ok(())
    }

    /// Calls `path` with each path that `query` returns in its first column, nulls left out.
    ///
    /// # Errors
    /// Those of the session.
    pub fn references(&mut self, query: &str, mut path: impl FnMut(String)) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Reference {
            path: String,
        }
        // The app's own search path is what its query was written for.
        self.session.execute("RESET search_path;")?;
        let query = query.trim().trim_end_matches(';');
        let query = format!(
            "SELECT {FIRST}::text AS path FROM (\n{query}\n) r ({FIRST}) WHERE {FIRST} IS NOT NULL"
        );
        self.session.each(&query, |row: Reference| {
            path(row.path);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
