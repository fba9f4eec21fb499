//! The database's migration head.

mod deadline;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use th_postgres::{Server, Session};

use crate::Error;
use crate::context::Context;
use crate::schema::deadline::Deadline;

/// What the process that holds has seen of the head, so that a rollback need not ask.
const FILE: &str = "head.json";

/// What is asked unless the settings say otherwise: Alembic's table, if it is there.
const TABLE: &str = "SELECT to_regclass('alembic_version')::text";
const QUERY: &str = "SELECT string_agg(version_num, ' ' ORDER BY version_num) FROM alembic_version";

/// How long a connection may take: `psql` waits 15 s for each address of a host.
const CONNECT: Duration = Duration::from_secs(30);
/// The same while users wait.
pub(crate) const HURRY: Duration = Duration::from_secs(5);
/// How long an answer may take, of a server that is there: a lock may be in its way…
const STATEMENT: &str = "3s";
/// …and of one that may not be there any more.
const ANSWER: Duration = Duration::from_secs(6);

/// SQLSTATE of a query that cannot be right, and of the one exception: before its first migration a
/// database has no table to ask.
const MISTAKE: &str = "42";
const NO_TABLE: &str = "42P01";

/// A head and when it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) head: Option<String>,
    pub(crate) at: DateTime<Utc>,
}

/// A session with the database of an environment.
#[derive(Debug)]
pub(crate) struct Schema {
    session: Session,
    deadline: Deadline,
    query: Option<String>,
}

/// The first column of an answer.
#[derive(Deserialize)]
struct Answer {
    answer: Option<String>,
}

/// How many connections the server takes, and who has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Connections {
    /// The most that it takes from the app.
    pub(crate) most: u64,
    /// Those there are.
    pub(crate) used: u64,
    /// Those of them that are the app's.
    pub(crate) app: u64,
}

impl Schema {
    /// Connects; `None` when no database is given.
    ///
    /// # Errors
    /// Those of PostgreSQL; [`Error::NoAnswer`].
    pub(crate) fn connect(
        context: &Context,
        cancel: Arc<AtomicBool>,
    ) -> Result<Option<Self>, Error> {
        Self::connect_within(context, cancel, CONNECT)
    }

    /// As [`Schema::connect`], and waits no longer than `limit`.
    pub(crate) fn connect_within(
        context: &Context,
        cancel: Arc<AtomicBool>,
        limit: Duration,
    ) -> Result<Option<Self>, Error> {
        let Some(target) = &context.env.database else {
            return Ok(None);
        };
        let deadline = Deadline::new(cancel);
        let session = deadline.keep(limit, || {
            let server = Server::connect(target, "th-swap", deadline.flag())?;
            let mut session = server.session(server.database())?;
            session.execute(&format!(
                "RESET search_path; SET statement_timeout = '{STATEMENT}';"
            ))?;
            Ok(session)
        })?;
        Ok(Some(Self {
            session,
            deadline,
            query: context.slots.schema_query.clone(),
        }))
    }

    /// Returns the head, or the heads with a space between; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Setting`] when the query of the settings is wrong; [`Error::NoAnswer`], after which
    /// the session is of no use; those of PostgreSQL.
    pub(crate) fn head(&mut self) -> Result<Option<String>, Error> {
        match self.query.clone() {
            Some(query) => self.ask(&query).map_err(mistake),
            None if self.ask(TABLE)?.is_none() => Ok(None),
            None => self.ask(QUERY),
        }
    }

    fn ask(&mut self, query: &str) -> Result<Option<String>, Error> {
        let query = query.trim().trim_end_matches(';');
        let query = format!("SELECT answer::text AS answer FROM (\n{query}\n) q (answer) LIMIT 1");
        let session = &mut self.session;
        let answers: Vec<Answer> = self.deadline.keep(ANSWER, || Ok(session.all(&query)?))?;
        Ok(answers.into_iter().next().and_then(|first| first.answer))
    }

    /// Counts the server's connections. The tools' own are not the app's.
    pub(crate) fn connections(&mut self) -> Result<Connections, Error> {
        // A role that is not of pg_monitor is not told what kind of backend those of others are.
        let query = "SELECT current_setting('max_connections')::int \
             - current_setting('superuser_reserved_connections')::int AS most, \
             count(*) AS used, \
             count(*) FILTER (WHERE datname = current_database() \
             AND application_name NOT LIKE 'th-%') AS app \
             FROM pg_stat_activity WHERE datid IS NOT NULL \
             AND coalesce(backend_type, 'client backend') = 'client backend'";
        let session = &mut self.session;
        self.deadline.keep(ANSWER, || Ok(session.one(query)?))
    }
}

/// Tells a query that cannot be right from one that cannot be answered now.
fn mistake(error: Error) -> Error {
    match error {
        Error::Postgres(th_postgres::Error::Sql { sqlstate, message })
            if sqlstate.starts_with(MISTAKE) && sqlstate != NO_TABLE =>
        {
            Error::Setting(format!(
                "slots.schema_query is refused by the database: {message}"
            ))
        }
        error => error,
    }
}

/// Writes down what was seen.
pub(crate) fn note(context: &Context, head: Option<String>) -> Result<(), Error> {
    let seen = Seen {
        head,
        at: Utc::now(),
    };
    Ok(context.state.write(FILE, &seen)?)
}

/// Returns what was seen no longer than `age` ago, if no tool has ended since: it may have migrated.
pub(crate) fn noted(context: &Context, age: Duration) -> Option<Option<String>> {
    let seen: Seen = context.state.read(FILE).ok()??;
    let old = Utc::now().signed_duration_since(seen.at).to_std().ok()? > age;
    let journal = std::fs::metadata(context.state.path("journal.jsonl")).ok();
    let changed = journal.and_then(|journal| journal.modified().ok());
    let later = changed.is_some_and(|changed| DateTime::<Utc>::from(changed) >= seen.at);
    (!old && !later).then_some(seen.head)
}
