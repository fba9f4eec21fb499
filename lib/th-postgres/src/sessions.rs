//! The sessions of a server: counted, ended, and waited for.

use std::thread;
use std::time::{Duration, Instant};

use crate::quote::{identifier, literal};
use crate::{Admin, Error, Role};

/// How long a session that was told to end is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks at a session.
const PAUSE: Duration = Duration::from_millis(20);

impl Admin {
    /// Returns how many client sessions `name` has. Of what sort another role's is, not everybody
    /// may see; but those of the server itself have no role.
    ///
    /// # Errors
    /// Those of the session.
    pub fn sessions(&mut self, name: &str) -> Result<u64, Error> {
        self.count(&format!(
            "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = {} \
             AND coalesce(backend_type, 'client backend') = 'client backend' \
             AND usesysid IS NOT NULL",
            literal(name)
        ))
    }

    /// Ends every session of the databases, and returns how many were not our own: of ours, one that
    /// has just done its work may still be leaving.
    ///
    /// # Errors
    /// Those of the session.
    pub fn close_sessions(&mut self, names: &[&str]) -> Result<u64, Error> {
        let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
        self.count(&format!(
            "SELECT count(CASE WHEN pg_terminate_backend(pid) \
                    THEN nullif(application_name LIKE 'th-%', true) END) AS count \
             FROM pg_stat_activity \
             WHERE datname IN ({}) AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
            names.join(", ")
        ))
    }

    /// Ends the session of the server's process `pid`, if it is there.
    ///
    /// # Errors
    /// Those of the session.
    pub fn end(&mut self, pid: i32) -> Result<(), Error> {
        let query = format!("SELECT pg_terminate_backend({pid})::int AS count");
        self.count(&query).map(|_| ())
    }

    /// Ends whoever makes the database `name`, and waits for it: the server goes on with what a
    /// client that died has asked for.
    pub(crate) fn end_makers(&mut self, name: &str) -> Result<(), Error> {
        self.end_all(&making(&identifier(name)))
    }

    /// As [`Admin::end_makers`], for all databases beside `live` of one role.
    pub(crate) fn end_makers_beside(&mut self, live: &str, role: Role) -> Result<(), Error> {
        let start = identifier(&role.prefix(live));
        self.end_all(&making(start.trim_end_matches('"')))
    }

    /// Ends the sessions that `condition` holds for, and waits until there are none.
    pub(crate) fn end_all(&mut self, condition: &str) -> Result<(), Error> {
        let query = format!(
            "SELECT count(pg_terminate_backend(pid)) AS count FROM pg_stat_activity \
             WHERE pid <> pg_backend_pid() AND {condition}"
        );
        let start = Instant::now();
        while self.count(&query)? > 0 {
            if start.elapsed() > PATIENCE {
                return Err(Error::Lost("the old session does not end".to_owned()));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// Returns what holds for a session that makes a database whose quoted name starts with `start`.
fn making(start: &str) -> String {
    format!(
        "starts_with(query, {})",
        literal(&format!("CREATE DATABASE {start}"))
    )
}
