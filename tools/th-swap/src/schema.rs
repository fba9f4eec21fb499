//! The database's migration head.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use th_postgres::{Server, Session};

use crate::Error;
use crate::context::Context;

/// What the process that holds has seen of the head, so that a rollback need not ask.
const FILE: &str = "head.json";

/// What is asked unless the settings say otherwise: Alembic's table, if it is there.
const TABLE: &str = "SELECT to_regclass('alembic_version')::text";
const QUERY: &str = "SELECT version_num FROM alembic_version";

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
    pub(crate) fn connect(
        context: &Context,
        cancel: Arc<AtomicBool>,
    ) -> Result<Option<Self>, Error> {
        let Some(target) = &context.env.database else {
            return Ok(None);
        };
        let server = Server::connect(target, "th-swap", cancel)?;
        let mut session = server.session(server.database())?;
        session.execute("RESET search_path;")?;
        Ok(Some(Self {
            session,
            query: context.slots.schema_query.clone(),
        }))
    }

    /// Returns the head; `None` when there is none.
    pub(crate) fn head(&mut self) -> Result<Option<String>, Error> {
        match self.query.clone() {
            Some(query) => self.ask(&query),
            None if self.ask(TABLE)?.is_none() => Ok(None),
            None => self.ask(QUERY),
        }
    }

    fn ask(&mut self, query: &str) -> Result<Option<String>, Error> {
        let query = query.trim().trim_end_matches(';');
        let answers: Vec<Answer> = self.session.all(&format!(
            "SELECT answer::text AS answer FROM (\n{query}\n) q (answer) LIMIT 1"
        ))?;
        Ok(answers.into_iter().next().and_then(|first| first.answer))
    }

    /// Counts the server's connections. The tools' own are not the app's.
    pub(crate) fn connections(&mut self) -> Result<Connections, Error> {
        Ok(self.session.one(
            "SELECT current_setting('max_connections')::int \
             - current_setting('superuser_reserved_connections')::int AS most, \
             count(*) AS used, \
             count(*) FILTER (WHERE datname = current_database() \
             AND application_name NOT LIKE 'th-%') AS app \
             FROM pg_stat_activity WHERE backend_type = 'client backend'",
        )?)
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
