//! What a database is made of, beside its content.

use serde::Deserialize;
use th_record::{Grant, Setting};

use crate::Error;
use crate::session::Session;

/// The facts that `CREATE DATABASE` needs and that no dump holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Facts {
    /// The database's name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// The server's version, as the server prints it.
    pub server_version: String,
    /// The server's version as a number, `150018`.
    pub server_version_num: u32,
    /// The character set.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// `libc`, `icu` or `builtin`.
    pub locale_provider: String,
    /// The locale of a provider other than libc.
    pub icu_locale: Option<String>,
    /// The rules that ICU sorts by on top of those of the locale.
    pub icu_rules: Option<String>,
    /// The version of the collations the indexes were built with.
    pub collation_version: Option<String>,
    /// The tablespace that its tables are in by default; `None` is the server's own default.
    pub tablespace: Option<String>,
    /// `CONNECTION LIMIT`; -1 is none.
    pub connection_limit: i32,
    /// The comment on the database.
    pub comment: Option<String>,
    /// The size on disk.
    pub size_bytes: u64,
    /// Per-database and per-role parameters.
    pub settings: Vec<Setting>,
    /// Grants on the database; `None` when it has only the defaults.
    pub grants: Option<Vec<Grant>>,
    /// Roles that own objects or hold grants.
    pub roles: Vec<String>,
}

impl Facts {
    /// Reads the facts of the database whose name the expression `name` is: every one sees them.
    ///
    /// # Errors
    /// Those of the session.
    pub(crate) fn read(session: &mut Session, name: &str) -> Result<Self, Error> {
        session.one(&format!(
            "{}WHERE d.datname = {name}",
            include_str!("sql/facts.sql")
        ))
    }
}

impl From<&th_record::Database> for Facts {
    fn from(database: &th_record::Database) -> Self {
        let database = database.clone();
        Self {
            name: database.name,
            owner: database.owner,
            server_version: database.server_version,
            server_version_num: database.server_version_num,
            encoding: database.encoding,
            collate: database.collate,
            ctype: database.ctype,
            locale_provider: database.locale_provider,
            icu_locale: database.icu_locale,
            icu_rules: database.icu_rules,
            collation_version: database.collation_version,
            tablespace: database.tablespace,
            connection_limit: database.connection_limit,
            comment: database.comment,
            size_bytes: database.dump_bytes,
            settings: database.settings,
            grants: database.grants,
            roles: database.roles,
        }
    }
}
