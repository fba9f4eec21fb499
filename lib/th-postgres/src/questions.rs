//! What a server is asked beside its content.

use std::io::Read;

use th_record::Fingerprint;

use crate::quote::{FIRST, identifier, literal};
use crate::server::Place;
use crate::{Call, Error, Facts, Server, fingerprint};

#[derive(serde::Deserialize)]
struct Answer {
    answer: Option<String>,
}

impl Server {
    /// Returns the fingerprint of `database` as it is now; for one that nobody else changes.
    ///
    /// # Errors
    /// Those of the session.
    pub fn fingerprint(
        &self,
        database: &str,
        on_table: &mut dyn FnMut(&str),
    ) -> Result<Fingerprint, Error> {
        let mut session = self.session(database)?;
        session.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;")?;
        let fingerprint = fingerprint::take(&mut session, on_table)?;
        session.close()?;
        Ok(fingerprint)
    }

    /// Returns what `database` is made of, which the server tells even of one that lets nobody in.
    ///
    /// # Errors
    /// Those of the session.
    pub fn facts(&self, database: &str) -> Result<Facts, Error> {
        Facts::read(&mut self.admin()?.session, &literal(database))
    }

    /// Creates a schema in `database`, if it is not there.
    ///
    /// # Errors
    /// Those of the session.
    pub fn create_schema(&self, database: &str, schema: &str) -> Result<(), Error> {
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {};", identifier(schema));
        self.session(database)?.execute(&sql)
    }

    /// Tells whether `database` has the schema.
    ///
    /// # Errors
    /// Those of the session.
    pub fn has_schema(&self, database: &str, schema: &str) -> Result<bool, Error> {
        let query = format!(
            "SELECT 1 FROM pg_namespace WHERE nspname = {}",
            literal(schema)
        );
        Ok(self.ask(database, &query)?.is_some())
    }

    /// Drops a schema that holds nothing.
    ///
    /// # Errors
    /// Those of the session.
    pub fn drop_schema(&self, database: &str, schema: &str) -> Result<(), Error> {
        let sql = format!("DROP SCHEMA IF EXISTS {};", identifier(schema));
        self.session(database)?.execute(&sql)
    }

    /// Drops a table that nothing depends on.
    ///
    /// # Errors
    /// Those of the session.
    pub fn drop_table(&self, database: &str, schema: &str, table: &str) -> Result<(), Error> {
        let (schema, table) = (identifier(schema), identifier(table));
        let sql = format!("DROP TABLE IF EXISTS {schema}.{table};");
        self.session(database)?.execute(&sql)
    }

    /// Returns where the server keeps what is in `tablespace`, else its data directory, and how many
    /// bytes are free there; `None` when this host or this role cannot tell.
    ///
    /// # Errors
    /// Those of the session and of Docker.
    pub fn data_space(&self, tablespace: Option<&str>) -> Result<Option<(String, u64)>, Error> {
        let mut admin = self.admin()?;
        let location = match tablespace {
            Some(name) => admin.location(name)?,
            None => None,
        };
        let path = match location {
            // One that was made inside of the data directory has a path relative to it.
            Some(path) if path.starts_with('/') => path,
            _ => match admin.setting("data_directory") {
                Err(Error::Sql { .. }) => return Ok(None),
                other => other?,
            },
        };
        let free = match &self.place {
            Place::Host { url } if url.is_local() => rustix::fs::statvfs(path.as_str())
                .ok()
                .map(|stat| stat.f_bavail * stat.f_frsize),
            Place::Host { .. } => None,
            Place::Container { .. } => self.free_in_container(&path)?,
        };
        Ok(free.map(|free| (path, free)))
    }

    /// Returns the directory of the server's container that a dump is spooled to while it is
    /// restored, and how many bytes are free there; `None` when it is not spooled there.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn spool_space(&self) -> Result<Option<(String, u64)>, Error> {
        let Some((_, container)) = self.container() else {
            return Ok(None);
        };
        let path = container.variable("TMPDIR").unwrap_or("/tmp");
        let free = self.free_in_container(path)?;
        Ok(free.map(|free| (path.to_owned(), free)))
    }

    fn free_in_container(&self, path: &str) -> Result<Option<u64>, Error> {
        let args = ["-Pk".to_owned(), path.to_owned()];
        let call = Call {
            program: "df",
            args: &args,
            ..Call::default()
        };
        let mut program = self.start(&call)?;
        let mut text = String::new();
        match program.output()?.read_to_string(&mut text) {
            Ok(_) => program.wait()?,
            Err(error) => return Err(program.explain(error)),
        }
        // The second line: file system, size, used, available.
        let available = text
            .lines()
            .nth(1)
            .and_then(|line| line.split_whitespace().nth(3));
        Ok(available
            .and_then(|kib| kib.parse::<u64>().ok())
            .map(|kib| kib * 1024))
    }

    /// Returns the first column of the first row of `query` as text; `None` when there is no row,
    /// or it is null.
    ///
    /// # Errors
    /// Those of the session.
    pub fn ask(&self, database: &str, query: &str) -> Result<Option<String>, Error> {
        let mut session = self.session(database)?;
        session.execute("RESET search_path;")?;
        let query = query.trim().trim_end_matches(';');
        // The column list names the first column only, whatever the others are.
        let answers: Vec<Answer> = session.all(&format!(
            "SELECT {FIRST}::text AS answer FROM (\n{query}\n) q ({FIRST}) LIMIT 1"
        ))?;
        Ok(answers
            .into_iter()
            .next()
            .and_then(|Answer { answer }| answer))
    }
}
