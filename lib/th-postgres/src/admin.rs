//! Databases as a whole: listed and dropped, from a session outside of them.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::quote::{identifier, literal};
use crate::session::Session;
use crate::{Error, Server};

/// The database that every server has, and that new ones are made of.
const TEMPLATE: &str = "template1";

/// A session on a maintenance database.
#[derive(Debug)]
pub struct Admin {
    pub(crate) session: Session,
    pub(crate) server: Server,
}

impl Server {
    /// Opens a session on `postgres`, or on `template1` where that is not there or lets nobody in.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub fn admin(&self) -> Result<Admin, Error> {
        match self.admin_on("postgres") {
            Err(Error::NoDatabase { .. } | Error::Closed { .. }) => self.admin_on(TEMPLATE),
            other => other,
        }
    }

    /// Opens a session on `postgres`, or, when that is one of `names`, on `template1`: nobody can
    /// rename the database he is on. Not there without need, since a database that is made of it
    /// meanwhile is refused.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::NoDatabase`].
    pub(crate) fn admin_beside(&self, names: &[&str]) -> Result<Admin, Error> {
        if names.contains(&"postgres") {
            self.admin_on(TEMPLATE)
        } else {
            self.admin()
        }
    }

    fn admin_on(&self, place: &'static str) -> Result<Admin, Error> {
        Ok(Admin {
            session: self.session(place)?,
            server: self.clone(),
        })
    }
}

impl Admin {
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

    /// Checks that there is a database called `name`.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], and those of the session.
    pub fn check_has(&mut self, name: &str) -> Result<(), Error> {
        if self.has(name)? {
            return Ok(());
        }
        Err(Error::NoDatabase {
            server: self.server.to_string(),
            database: name.to_owned(),
        })
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
