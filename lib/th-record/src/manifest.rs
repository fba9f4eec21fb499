//! The manifest of a set: written last, never changed. docs/store-format.md is its manual.

mod setting;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::setting::Setting;
use crate::record::{millis, seconds};
use crate::{Fingerprint, Id};

/// The stem of the database dump among a set's objects.
pub const DUMP: &str = "db.dump";

/// The stem of the object that holds the dump's table of contents with the places of its data.
pub const TOC: &str = "db.toc";
/// The stem of the roles among a set's objects.
pub const GLOBALS: &str = "globals.sql";
/// The stem of the configuration files among a set's objects.
pub const CONFIG: &str = "config.tar";

/// The version of the store's format that this code writes, and the newest it reads.
pub const FORMAT: u32 = 1;

/// One backup: a database dump, the files, the config, all of one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format, [`FORMAT`].
    pub format: u32,
    /// The set's id, also its directory's name.
    pub id: Id,
    /// The application; `null` when flags alone were given.
    pub app: Option<String>,
    /// The environment; `null` when flags alone were given.
    pub environment: Option<String>,
    /// How the database was captured.
    pub method: Method,
    /// When the snapshot was taken.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub started_at: DateTime<Utc>,
    /// When the set was complete.
    #[serde(with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub finished_at: DateTime<Utc>,
    /// How long the backup took.
    #[serde(serialize_with = "millis")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub duration_seconds: f64,
    /// The tool and its version, `th-backup 0.1.0`.
    pub writer: String,
    /// Whether anything that should be in the set is not.
    pub status: Status,
    /// Whether retention must keep the set.
    pub pinned: bool,
    /// Free labels.
    pub tags: Vec<Tag>,
    /// The database; `null` with `--no-db`.
    pub database: Option<Database>,
    /// The files; `null` with `--no-files`.
    pub files: Option<Files>,
    /// The configuration files; `null` when none are named.
    pub config: Option<Config>,
    /// The check that the files which the database names are in the set.
    pub references: Option<References>,
    /// Every file of the set's directory but the manifest, its sums and the proof.
    pub objects: Vec<Object>,
    /// The set before this one, and the hash of its manifest: a removed or back-dated set shows.
    pub previous: Option<Previous>,
}

/// How the database was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `pg_dump` of one snapshot.
    Logical,
    /// A base backup and WAL; not written yet.
    Physical,
}

/// Whether a set holds all it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It does.
    Complete,
    /// A referenced or an unreadable file is missing; the set says which.
    Degraded,
}

/// A free label, `k=v`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// What stands before the `=`.
    pub name: String,
    /// What stands after it.
    pub value: String,
}

/// The database of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// The server's version, as the server prints it.
    pub server_version: String,
    /// The server's version as a number, `150018`.
    pub server_version_num: u32,
    /// The character set, `UTF8`.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// `libc`, `icu`, or from PostgreSQL 17 on `builtin`.
    pub locale_provider: String,
    /// The locale of a provider other than libc; named after the first that had one.
    pub icu_locale: Option<String>,
    /// The rules that ICU sorts by on top of those of the locale. Absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icu_rules: Option<String>,
    /// The version of the collations the indexes were built with, if the provider tells.
    pub collation_version: Option<String>,
    /// The image of the server's container; `null` when the server is not in one.
    pub image: Option<Image>,
    /// Roles that own objects or hold grants, which must exist where the set is restored.
    pub roles: Vec<String>,
    /// `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`, which no dump holds.
    pub settings: Vec<Setting>,
    /// Grants on the database itself; `null` when it has only the defaults.
    pub grants: Option<Vec<Grant>>,
    /// The tablespace that its tables are in by default. Absent when that is the server's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<String>,
    /// `CONNECTION LIMIT`; -1 is none.
    pub connection_limit: i32,
    /// The comment on the database.
    pub comment: Option<String>,
    /// The size of the dump before compression.
    pub dump_bytes: u64,
    /// What the dump's snapshot held.
    pub fingerprint: Fingerprint,
}

/// A privilege on a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The role that has it; `null` for PUBLIC.
    pub role: Option<String>,
    /// `CONNECT`, `CREATE` or `TEMPORARY`.
    pub privilege: String,
    /// Whether the role may grant it on.
    pub grantable: bool,
}

/// A container image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The name it was started by, `postgres:15`.
    pub name: String,
    /// Its id on this host, `sha256:…`.
    pub id: String,
    /// Its digest in a registry, `postgres@sha256:…`; `null` for an image never pushed or pulled.
    pub digest: Option<String>,
}

/// The files of a set. Each is described by one line of `files.jsonl.zst`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The directory that was backed up.
    pub root: String,
    /// Regular files in the set.
    pub count: u64,
    /// Their size.
    pub total_bytes: u64,
    /// Files read for this set; the others are known from an earlier one.
    pub new_count: u64,
    /// The size of the files that no earlier pack held.
    pub new_bytes: u64,
    /// Every pack the set needs, ordered by name.
    pub packs: Vec<Object>,
    /// How many could not be read; the set is degraded.
    pub unreadable_count: u64,
    /// The first hundred of them.
    pub unreadable: Vec<String>,
    /// The patterns that were left out: a restore leaves alone what they match. Absent when there
    /// are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<String>,
}

/// The configuration files of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The directory the names are relative to.
    pub root: String,
    /// The files, by name.
    pub names: Vec<String>,
}

/// The check that the files which the database names are in the set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct References {
    /// How many paths the query returned.
    pub checked: u64,
    /// How many of them are not in the set; the set is degraded.
    pub missing_count: u64,
    /// The first hundred of them.
    pub missing: Vec<String>,
}

/// A stored file and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Its name in the set's directory or among the packs.
    pub name: String,
    /// Its stored size.
    pub bytes: u64,
    /// The SHA-256 of its stored bytes, lower-case hex.
    pub sha256: String,
}

/// The set before this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its id.
    pub id: Id,
    /// The SHA-256 of its manifest.
    pub manifest_sha256: String,
}

impl Manifest {
    /// Returns the stored size of all that the set needs, packs shared with other sets included.
    pub fn stored_bytes(&self) -> u64 {
        let packs = self.files.iter().flat_map(|files| &files.packs);
        self.objects
            .iter()
            .chain(packs)
            .map(|object| object.bytes)
            .sum()
    }

    /// Returns the object called `stem`, whatever its compression: `db.dump` is `db.dump.zst`.
    pub fn object(&self, stem: &str) -> Option<&Object> {
        self.objects.iter().find(|object| {
            let rest = object.name.strip_prefix(stem);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}
