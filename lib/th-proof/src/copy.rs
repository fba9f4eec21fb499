//! A restored copy of a set's database, compared with the original.

use std::io::{Cursor, Read};
use std::thread::available_parallelism;

use th_archive::Compression;
use th_cli::Run;
use th_postgres::{Dump, Manner, Server, Stream, differences};
use th_record::{DUMP, Difference, ErrorKind, Fail, GLOBALS, Manifest, Object, TOC};
use th_store::Store;

use crate::space::spool_dir;
use crate::{Error, growth};

/// The most sessions that restore at once. More gain little: a few large tables dominate.
const MOST_JOBS: usize = 4;

/// A database that a set is restored into.
#[derive(Debug, Clone, Copy)]
pub struct Copy<'a> {
    /// Where the set is.
    pub store: &'a Store,
    /// The set.
    pub manifest: &'a Manifest,
    /// The server that holds the copy.
    pub server: &'a Server,
    /// The copy's name.
    pub name: &'a str,
}

impl Copy<'_> {
    /// Creates the database and restores the dump into it. With `only`, restores that table alone,
    /// and creates the database only if it is not there.
    ///
    /// # Errors
    /// [`Error::Postgres`] at the first statement that fails, [`Error::Store`].
    pub fn restore(&self, run: &mut Run, only: Option<(&str, &str)>) -> Result<(), Error> {
        let Self {
            store,
            manifest,
            server,
            name,
        } = *self;
        let database = manifest
            .database
            .as_ref()
            .ok_or_else(|| Error::NoDatabase(manifest.id.clone()))?;
        let tablespaces = self.warn_of_tablespaces(run)?;
        let mut admin = server.admin()?;
        if only.is_none() || !admin.has(name)? {
            admin.create(name, &database.into())?;
        }
        if let Some((schema, _)) = only {
            server.create_schema(name, schema)?;
        }
        let mut dump = StoredDump::open(store, manifest)?.with_toc(store, manifest)?;
        let jobs = available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_JOBS);
        let manner = Manner {
            jobs,
            only,
            tablespaces,
        };
        growth::shown(run, server, name, dump.plain_bytes, |on_bytes| {
            Ok(server.restore(name, dump.dump(on_bytes), manner, &spool_dir(store))?)
        })
    }

    /// Tells whether the server has every tablespace that the original's had; warns when not.
    fn warn_of_tablespaces(&self, run: &mut Run) -> Result<bool, Error> {
        if self.manifest.object(GLOBALS).is_none() {
            return Ok(true);
        }
        let globals = open(self.store, self.manifest, GLOBALS)?;
        let names = self.server.missing_tablespaces(globals)?;
        if !names.is_empty() {
            run.warn(format!(
                "the server lacks the tablespaces {}: all tables go to the database's own",
                names.join(", ")
            ));
        }
        Ok(names.is_empty())
    }

    /// Returns every way in which the copy is not what the manifest says.
    ///
    /// # Errors
    /// Those of the session.
    pub fn compare(&self, run: &mut Run) -> Result<Vec<Difference>, Error> {
        let Some(database) = &self.manifest.database else {
            return Ok(Vec::new());
        };
        let progress = run.progress("compare", None);
        let found = self
            .server
            .fingerprint(self.name, &mut |table| progress.at(table))?;
        Ok(differences(&database.fingerprint, &found))
    }
}

/// Runs the app's query on the copy; it must answer a row whose first column is not false or null.
///
/// # Errors
/// Those of the session. A query that fails is a difference.
pub fn check_app(server: &Server, database: &str, query: &str) -> Result<Vec<Difference>, Error> {
    let answer = match server.ask(database, query) {
        Ok(answer) => answer,
        Err(error @ th_postgres::Error::Sql { .. }) if error.kind() == ErrorKind::Database => {
            Some(error.to_string())
        }
        Err(error) => return Err(error.into()),
    };
    let no = match answer.as_deref() {
        Some("t" | "true") => None,
        Some(other) if other.parse::<f64>().is_ok_and(|number| number != 0.0) => None,
        other => Some(other.map(str::to_owned)),
    };
    Ok(no
        .map(|found| Difference {
            what: "app_query".to_owned(),
            name: query.to_owned(),
            expected: Some("true".to_owned()),
            found,
        })
        .into_iter()
        .collect())
}

/// The dump of a set, opened.
pub(crate) struct StoredDump {
    plain: Box<dyn Read + Send>,
    plain_bytes: u64,
    zstd: Option<(Box<dyn Read + Send>, u64)>,
    toc_bytes: u64,
}

impl StoredDump {
    pub(crate) fn open(store: &Store, manifest: &Manifest) -> Result<Self, Error> {
        let object = object(manifest, DUMP)?;
        let zstd = object.name == Compression::default().name(DUMP);
        let zstd = zstd.then(|| stored(store, manifest, object));
        let database = manifest.database.as_ref();
        Ok(Self {
            plain: store.open_object(&manifest.id, &object.name)?,
            plain_bytes: database.map_or(0, |database| database.dump_bytes),
            zstd: zstd.transpose()?,
            toc_bytes: 0,
        })
    }

    /// Appends the table of contents with the places of the data, if the set has it.
    pub(crate) fn with_toc(self, store: &Store, manifest: &Manifest) -> Result<Self, Error> {
        let Some(object) = manifest.object(TOC) else {
            return Ok(self);
        };
        // It is a part of the dump, and no longer.
        let toc = store.read_object(&manifest.id, &object.name, self.plain_bytes)?;
        let toc_bytes = toc.len() as u64;
        let zstd = match self.zstd {
            Some((dump, bytes)) => {
                let (toc, toc_bytes) = stored(store, manifest, object)?;
                Some((Box::new(dump.chain(toc)) as Box<_>, bytes + toc_bytes))
            }
            None => None,
        };
        Ok(Self {
            plain: Box::new(self.plain.chain(Cursor::new(toc))),
            plain_bytes: self.plain_bytes + toc_bytes,
            zstd,
            toc_bytes,
        })
    }

    pub(crate) fn dump<'a>(&'a mut self, on_bytes: &'a mut (dyn FnMut(u64) + Send)) -> Dump<'a> {
        Dump {
            plain: Stream {
                reader: &mut self.plain,
                bytes: self.plain_bytes,
            },
            zstd: self.zstd.as_mut().map(|(file, bytes)| Stream {
                reader: file,
                bytes: *bytes,
            }),
            toc_bytes: self.toc_bytes,
            on_bytes,
        }
    }
}

/// Opens an object as it is stored, and returns its size too.
fn stored(
    store: &Store,
    manifest: &Manifest,
    object: &Object,
) -> Result<(Box<dyn Read + Send>, u64), Error> {
    let file = store.open_stored(&manifest.id, &object.name)?;
    Ok((Box::new(file), object.bytes))
}

/// Opens the object `stem` of a set and returns a reader of what it held before compression.
///
/// # Errors
/// [`Error::NoObject`] when the set has no such object; [`Error::Store`].
pub fn open(store: &Store, manifest: &Manifest, stem: &str) -> Result<Box<dyn Read + Send>, Error> {
    let object = object(manifest, stem)?;
    Ok(store.open_object(&manifest.id, &object.name)?)
}

fn object<'a>(manifest: &'a Manifest, stem: &str) -> Result<&'a Object, Error> {
    manifest.object(stem).ok_or_else(|| Error::NoObject {
        set: manifest.id.clone(),
        name: stem.to_owned(),
    })
}
