//! Databases as a whole: made, renamed, dropped, from a session outside of them.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::beside::LONGEST_NAME;
use crate::quote::{identifier, literal};
use crate::session::Session;
use crate::{Error, Facts, Server};

/// Parameters whose value the catalog holds as a list that is quoted already
/// (`GUC_LIST_QUOTE` in PostgreSQL's guc_tables.c, as `pg_dump` knows them).
const QUOTED_LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// How often databases are listed again when one was dropped meanwhile.
const RETRIES: u32 = 20;

/// A session on a maintenance database.
#[derive(Debug)]
pub struct Admin {
    pub(crate) session: Session,
    pub(crate) server: Server,
    pub(crate) place: &'static str,
}

/// A database of the server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its size on disk.
    pub size_bytes: u64,
    /// The comment on it.
    pub comment: Option<String>,
}

impl Server {
    /// Opens a session on `postgres`, or on `template1` where there is none.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub fn admin(&self) -> Result<Admin, Error> {
        let (session, place) = match self.session("postgres") {
            Err(Error::NoDatabase { .. }) => (self.session("template1")?, "template1"),
            other => (other?, "postgres"),
        };
        Ok(Admin {
            session,
            server: self.clone(),
            place,
        })
    }
}

impl Admin {
    /// Returns every database but the templates, by name.
    ///
    /// # Errors
    /// Those of the session.
    pub fn databases(&mut self) -> Result<Vec<Listed>, Error> {
        let mut tries = 0;
        loop {
            let listed = self.session.all(
                "SELECT datname AS name, coalesce(pg_database_size(oid), 0) AS size_bytes, \
                 shobj_description(oid, 'pg_database') AS comment \
                 FROM pg_database WHERE NOT datistemplate ORDER BY datname COLLATE \"C\"",
            );
            match listed {
                // One was dropped while its size was taken: undefined_database, undefined_file
                Err(Error::Sql { sqlstate, .. })
                    if tries < RETRIES && ["3D000", "58P01"].contains(&sqlstate.as_str()) =>
                {
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    /// Tells whether there is a database called `name`.
    ///
    /// # Errors
    /// Those of the session.
    pub fn has(&mut self, name: &str) -> Result<bool, Error> {
        let query = format!(
            "SELECT count(*) AS count FROM pg_database WHERE datname = {}",
            literal(name)
        );
        self.count(&query).map(|count| count > 0)
    }

    /// Returns the size of the database `name` on disk.
    ///
    /// # Errors
    /// Those of the session.
    pub fn size(&mut self, name: &str) -> Result<u64, Error> {
        let query = format!("SELECT pg_database_size({}::name) AS count", literal(name));
        self.count(&query)
    }

    /// Returns the value of a setting of the server.
    ///
    /// # Errors
    /// Those of the session.
    pub fn setting(&mut self, name: &str) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Setting {
            value: String,
        }
        let query = format!("SELECT current_setting({}) AS value", literal(name));
        self.session.one(&query).map(|Setting { value }| value)
    }

    /// Returns those of `wanted` that are no roles of this server.
    ///
    /// # Errors
    /// Those of the session.
    pub fn missing_roles(&mut self, wanted: &[String]) -> Result<Vec<String>, Error> {
        self.missing(wanted, "SELECT rolname AS name FROM pg_roles")
    }

    /// Returns those of `wanted` that are no extensions this server could create.
    ///
    /// # Errors
    /// Those of the session.
    pub fn missing_extensions(&mut self, wanted: &[String]) -> Result<Vec<String>, Error> {
        self.missing(wanted, "SELECT name FROM pg_available_extensions")
    }

    pub(crate) fn missing(&mut self, wanted: &[String], query: &str) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Name {
            name: String,
        }
        let there: BTreeSet<String> = self
            .session
            .all(query)?
            .into_iter()
            .map(|Name { name }| name)
            .collect();
        Ok(wanted
            .iter()
            .filter(|name| !there.contains(*name))
            .cloned()
            .collect())
    }

    /// Creates an empty database with the encoding, locale and owner of `like`.
    ///
    /// # Errors
    /// [`Error::LongName`], [`Error::Sql`].
    pub fn create(&mut self, name: &str, like: &Facts) -> Result<(), Error> {
        if name.len() > LONGEST_NAME {
            return Err(Error::LongName(name.to_owned()));
        }
        let mut sql = format!(
            "CREATE DATABASE {} TEMPLATE template0 OWNER {} ENCODING {} LC_COLLATE {} LC_CTYPE {}",
            identifier(name),
            identifier(&like.owner),
            literal(&like.encoding),
            literal(&like.collate),
            literal(&like.ctype),
        );
        if let Some(locale) = &like.icu_locale {
            let option = if like.locale_provider == "icu" {
                "ICU_LOCALE"
            } else {
                "BUILTIN_LOCALE"
            };
            let provider = &like.locale_provider;
            sql.push_str(&format!(
                " LOCALE_PROVIDER {provider} {option} {}",
                literal(locale)
            ));
        }
        self.session.execute(&format!("{sql};"))
    }

    /// Gives `name` the owner, settings, grants, connection limit and comment of `like`.
    ///
    /// # Errors
    /// [`Error::Sql`].
    pub fn carry(&mut self, name: &str, like: &Facts) -> Result<(), Error> {
        let database = identifier(name);
        let owner = identifier(&like.owner);
        self.session
            .execute(&format!("ALTER DATABASE {database} OWNER TO {owner};"))?;
        for setting in &like.settings {
            let target = match &setting.role {
                Some(role) => format!("ROLE {} IN DATABASE {database}", identifier(role)),
                None => format!("DATABASE {database}"),
            };
            let value = if QUOTED_LISTS.contains(&setting.name.as_str()) {
                // Empty is the one list that the catalog does not hold in its written form.
                if setting.value.is_empty() {
                    "''"
                } else {
                    &setting.value
                }
                .to_owned()
            } else {
                literal(&setting.value)
            };
            // An extension's parameter is `name.name`.
            let parameter: Vec<String> = setting.name.split('.').map(identifier).collect();
            self.session.execute(&format!(
                "ALTER {target} SET {} TO {value};",
                parameter.join(".")
            ))?;
        }
        if let Some(grants) = &like.grants {
            self.session
                .execute(&format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC;"))?;
            for grant in grants {
                let role = grant
                    .role
                    .as_deref()
                    .map_or("PUBLIC".to_owned(), identifier);
                let option = if grant.grantable {
                    " WITH GRANT OPTION"
                } else {
                    ""
                };
                let privilege = &grant.privilege;
                self.session.execute(&format!(
                    "GRANT {privilege} ON DATABASE {database} TO {role}{option};"
                ))?;
            }
        }
        if like.connection_limit >= 0 {
            let limit = like.connection_limit;
            self.session.execute(&format!(
                "ALTER DATABASE {database} CONNECTION LIMIT {limit};"
            ))?;
        }
        self.comment(name, like.comment.as_deref())
    }

    /// Sets or removes the comment on a database.
    ///
    /// # Errors
    /// [`Error::Sql`].
    pub fn comment(&mut self, name: &str, comment: Option<&str>) -> Result<(), Error> {
        let text = comment.map_or("NULL".to_owned(), literal);
        self.session.execute(&format!(
            "COMMENT ON DATABASE {} IS {text};",
            identifier(name)
        ))
    }

    /// Drops a database with all its sessions, if it is there, or is being made by a run that died.
    ///
    /// # Errors
    /// [`Error::Sql`]; [`Error::Lost`] when who makes it does not end.
    pub fn drop(&mut self, name: &str) -> Result<(), Error> {
        self.end_makers(name)?;
        // DROP … WITH (FORCE) is of version 13.
        self.close_sessions(&[name])?;
        self.session
            .execute(&format!("DROP DATABASE IF EXISTS {};", identifier(name)))
    }

    /// Drops a database that nobody uses, if it is there. Returns why it stays, when somebody does:
    /// a session, a prepared transaction, a subscription.
    ///
    /// # Errors
    /// [`Error::Sql`].
    pub fn drop_unused(&mut self, name: &str) -> Result<Option<String>, Error> {
        let sql = format!("DROP DATABASE IF EXISTS {};", identifier(name));
        match self.session.execute(&sql) {
            // object_in_use
            Err(Error::Sql { sqlstate, message }) if sqlstate == "55006" => Ok(Some(message)),
            result => result.map(|()| None),
        }
    }

    pub(crate) fn count(&mut self, query: &str) -> Result<u64, Error> {
        #[derive(Deserialize)]
        struct Count {
            count: u64,
        }
        self.session.one(query).map(|Count { count }| count)
    }
}
