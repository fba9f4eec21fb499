//! Roles: what belongs to the cluster and not to a database.

use std::io::Read;

use crate::call::Call;
use crate::program::Program;
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
        self.start(&Call {
            program: "pg_dumpall",
            args: &args,
            database: Some("postgres"),
            // It reads nothing, but must not be signalled when this process dies, and ends soon by
            // itself: it asks a child for pg_dump's version, and that child, orphaned, may die of
            // SIGPIPE in the arms of the postmaster, which takes it for a crash of its own.
            stdin: true,
            ..Call::default()
        })
    }

    /// Loads roles into a scratch server. A role that is there already is no error.
    ///
    /// # Errors
    /// Those of the session.
    pub fn load_globals(&self, mut globals: impl Read) -> Result<(), Error> {
        let mut sql = String::new();
        globals
            .read_to_string(&mut sql)
            .map_err(|source| Error::Stream {
                program: "psql".to_owned(),
                source,
            })?;
        let mut session = self.session("postgres")?;
        // `pg_dumpall` writes one statement a line; names with newlines are quoted over several.
        for statement in statements(&sql) {
            match session.execute(statement) {
                // duplicate_object, and what the bootstrap superuser may not lose
                Err(Error::Sql { sqlstate, .. })
                    if matches!(sqlstate.as_str(), "42710" | "0A000" | "55006") => {}
                other => other?,
            }
        }
        session.close()
    }
}

/// Returns the statements that make and change roles. Lines for `psql` itself (`\restrict`, from
/// August 2025 on), settings and tablespaces, whose directories a scratch server lacks, are left out.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split_inclusive(";\n").filter_map(|statement| {
        let start = ["CREATE ROLE", "ALTER ROLE", "GRANT "]
            .iter()
            .filter_map(|word| statement.find(&format!("\n{word}")).map(|at| at + 1))
            .min();
        let start = match start {
            None if statement.starts_with("ALTER ROLE") => 0,
            None if statement.starts_with("CREATE ROLE") || statement.starts_with("GRANT ") => 0,
            other => other?,
        };
        let statement = statement[start..].trim_end();
        (!statement.contains(" ON TABLESPACE ")).then_some(statement)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_role_statements_are_taken() {
        let sql = "--\n-- PostgreSQL database cluster dump\n--\n\\restrict xyz\nSET x = on;\n\n\
                   --\n-- Roles\n--\n\nCREATE ROLE \"a b\";\nALTER ROLE \"a b\" WITH NOSUPERUSER;\n\
                   CREATE ROLE postgres;\n\n--\n-- Tablespaces\n--\n\n\
                   CREATE TABLESPACE t OWNER x LOCATION '/x';\n\
                   GRANT ALL ON TABLESPACE t TO x;\nGRANT a TO b;\n\n\\unrestrict xyz\n";
        let found: Vec<&str> = super::statements(sql).collect();
        assert_eq!(
            found,
            [
                "CREATE ROLE \"a b\";",
                "ALTER ROLE \"a b\" WITH NOSUPERUSER;",
                "CREATE ROLE postgres;",
                "GRANT a TO b;"
            ]
        );
    }
}
