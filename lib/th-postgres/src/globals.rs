//! Roles and tablespaces: what belongs to the cluster and not to a database.

mod statement;

use std::io::Read;

use crate::call::Call;
use crate::program::Program;
use crate::quote::unquoted;
use crate::{Error, Server};

impl Server {
    /// Starts a `pg_dumpall` of the roles; with `passwords`, which only a superuser may read, of
    /// their password hashes too.
    ///
    /// # Errors
    /// Those of [`Server::start`].
    pub fn globals(&self, passwords: bool) -> Result<Program, Error> {
        let mut args = vec!["--globals-only".to_owned(), "--no-password".to_owned()];
        if !passwords {
            args.push("--no-role-passwords".to_owned());
        }
        let options = self.options("");
        self.start(&Call {
            program: "pg_dumpall",
            args: &args,
            env: &[("PGOPTIONS", &options)],
            database: Some("postgres"),
            // It reads nothing, but must not be signalled when this process dies, and ends soon by
            // itself: it asks a child for pg_dump's version, and that child, orphaned, may die of
            // SIGPIPE in the arms of the postmaster, which takes it for a crash of its own.
            stdin: true,
            ..Call::default()
        })
    }

    /// Loads roles and tablespaces into a scratch server. A role that is there already is no error.
    /// Tablespaces are made inside of its own directory; a server that cannot do so, of before August
    /// 2022, gets none.
    ///
    /// # Errors
    /// Those of the session.
    pub fn load_globals(&self, globals: impl Read) -> Result<(), Error> {
        let sql = text(globals)?;
        let mut session = self.session("postgres")?;
        for statement in statement::roles(&sql) {
            match session.execute(&statement) {
                // duplicate_object, and what the bootstrap superuser may not lose
                Err(Error::Sql { sqlstate, .. })
                    if matches!(sqlstate.as_str(), "42710" | "0A000" | "55006") => {}
                other => other?,
            }
        }
        match session.execute("SET allow_in_place_tablespaces = on;") {
            // undefined_object
            Err(Error::Sql { sqlstate, .. }) if sqlstate == "42704" => return session.close(),
            other => other?,
        }
        for name in statement::tablespaces(&sql) {
            session.execute(&format!("CREATE TABLESPACE {name} LOCATION '';"))?;
        }
        session.close()
    }

    /// Returns the tablespaces of `globals` that are none of this server.
    ///
    /// # Errors
    /// Those of the session.
    pub fn missing_tablespaces(&self, globals: impl Read) -> Result<Vec<String>, Error> {
        let sql = text(globals)?;
        let wanted: Vec<String> = statement::tablespaces(&sql).map(unquoted).collect();
        self.admin()?
            .missing(&wanted, "SELECT spcname AS name FROM pg_tablespace")
    }
}

fn text(mut globals: impl Read) -> Result<String, Error> {
    let mut sql = String::new();
    match globals.read_to_string(&mut sql) {
        Ok(_) => Ok(sql),
        Err(source) => Err(Error::Stream {
            program: "psql".to_owned(),
            source,
        }),
    }
}
