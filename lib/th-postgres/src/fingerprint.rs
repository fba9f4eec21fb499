//! Taking a fingerprint: everything a restored copy must reproduce.

use std::fmt::Write;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use th_record::{Extension, Fingerprint, LargeObjects, SchemaObject, Sequence, Table};

use crate::Error;
use crate::session::Session;

/// What `schema.sql` takes in; see [`Fingerprint::schema_version`].
pub(crate) const SCHEMA_VERSION: u32 = 2;

/// A relation with the query that reads it.
#[derive(Deserialize)]
struct Source {
    schema: String,
    name: String,
    query: String,
}

/// Takes the fingerprint of what the session sees.
pub(crate) fn take(
    session: &mut Session,
    on_table: &mut dyn FnMut(&str),
) -> Result<Fingerprint, Error> {
    #[derive(Deserialize)]
    struct Version {
        major: u32,
    }
    let version: Version =
        session.one("SELECT current_setting('server_version_num')::int / 10000 AS major")?;
    // To compile what reads the catalogue takes seconds, to run it milliseconds.
    session.execute("SET LOCAL jit = off;")?;
    // Before the rows: the dump may read the sequences at any time from here on.
    let sequences = Positions::read(session)?.0;
    let schema: Vec<SchemaObject> = session.all(include_str!("sql/schema.sql"))?;
    let extensions: Vec<Extension> = session.all(
        "SELECT extname AS name, extversion AS version FROM pg_extension \
         ORDER BY extname COLLATE \"C\"",
    )?;
    Ok(Fingerprint {
        server_major: version.major,
        tables: tables(session, on_table)?,
        sequences,
        large_objects: large_objects(session)?,
        schema_version: SCHEMA_VERSION,
        schema_sha256: schema_sha256(&schema),
        schema,
        extensions,
    })
}

fn tables(session: &mut Session, on_table: &mut dyn FnMut(&str)) -> Result<Vec<Table>, Error> {
    #[derive(Deserialize)]
    struct Rows {
        rows: u64,
        digest: String,
    }
    let sources: Vec<Source> = session.all(include_str!("sql/tables.sql"))?;
    session.execute("RESET jit;")?;
    let mut tables = Vec::with_capacity(sources.len());
    for Source {
        schema,
        name,
        query,
    } in sources
    {
        on_table(&name);
        let Rows { rows, digest } = session.one(&query)?;
        tables.push(Table {
            schema,
            name,
            rows,
            digest,
        });
    }
    Ok(tables)
}

fn large_objects(session: &mut Session) -> Result<Option<LargeObjects>, Error> {
    #[derive(Deserialize)]
    struct Objects {
        count: u64,
        digest: String,
    }
    session.execute("SAVEPOINT large_objects;")?;
    match session.one(include_str!("sql/large_objects.sql")) {
        Ok(Objects { count, digest }) => Ok(Some(LargeObjects { count, digest })),
        // insufficient_privilege: only a superuser may read the pages of all of them.
        Err(Error::Sql { sqlstate, .. }) if sqlstate == "42501" => {
            session.execute("ROLLBACK TO SAVEPOINT large_objects;")?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Where every sequence stands.
pub(crate) struct Positions(Vec<Sequence>);

impl Positions {
    pub(crate) fn read(session: &mut Session) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Position {
            last_value: i64,
            is_called: bool,
        }
        let sources: Vec<Source> = session.all(include_str!("sql/sequences.sql"))?;
        let mut sequences = Vec::with_capacity(sources.len());
        for Source {
            schema,
            name,
            query,
        } in sources
        {
            let Position {
                last_value,
                is_called,
            } = session.one(&query)?;
            let last_value_after = last_value;
            sequences.push(Sequence {
                schema,
                name,
                last_value,
                last_value_after,
                is_called,
            });
        }
        Ok(Self(sequences))
    }

    /// Notes in `fingerprint` how far its sequences have come meanwhile.
    pub(crate) fn note_after(&self, fingerprint: &mut Fingerprint) {
        for sequence in &mut fingerprint.sequences {
            let now = self
                .0
                .iter()
                .find(|now| now.schema == sequence.schema && now.name == sequence.name);
            if let Some(now) = now {
                sequence.last_value_after = now.last_value;
            }
        }
    }
}

fn schema_sha256(schema: &[SchemaObject]) -> String {
    let mut hash = Sha256::new();
    for SchemaObject { kind, name, md5 } in schema {
        hash.update(format!("{kind}\0{name}\0{md5}\n"));
    }
    hash.finalize()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
