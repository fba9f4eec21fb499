//! The database's part of a set: the dump, the roles, and the fingerprint, all of one snapshot.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use th_archive::{Compression, Finished, Stored, ZSTD_MAGIC};
use th_cli::Run;
use th_postgres::{Program, Server, Snapshot, Toc};
use th_record::{DUMP, Database, GLOBALS, Object, TOC};

use crate::{Error, Throttle};

/// What goes from `pg_dump` to the compressor at once.
const CHUNK: usize = 256 * 1024;

/// What is to be dumped, and how.
pub(crate) struct Source<'a> {
    pub(crate) server: &'a Server,
    pub(crate) lock_wait: Duration,
    pub(crate) references: Option<&'a str>,
    pub(crate) compression: Compression,
    /// About how large the dump will be before compression.
    pub(crate) expected_bytes: Option<u64>,
    pub(crate) throttle: &'a Mutex<Throttle>,
}

/// The database's part of a set.
pub(crate) struct Dumped {
    pub(crate) database: Database,
    pub(crate) objects: Vec<Object>,
    pub(crate) stored_bytes: u64,
    /// The paths that the database names, as JSON strings, one a line.
    pub(crate) references: Option<File>,
}

impl Source<'_> {
    /// Dumps into `dir`. While `pg_dump` streams, the same snapshot is fingerprinted.
    pub(crate) fn dump(&self, run: &mut Run, dir: &Path) -> Result<Dumped, Error> {
        let name = self.server.database();
        let mut snapshot = Snapshot::take(self.server, name, self.lock_wait)?;
        let facts = snapshot.facts()?;
        let level = match self.compression {
            Compression::Zstd { level } => Some(level),
            Compression::Gzip { .. } | Compression::None => None,
        };
        let program = snapshot.dump(self.server, name, level)?;
        let pid = snapshot.pid();
        let progress = run.progress("dump", self.expected_bytes);
        let (dumped, printed) = thread::scope(|scope| {
            let dump = scope.spawn(|| {
                let start = Instant::now();
                let mut toc = Toc::default();
                let finished = self.store(program, dir, DUMP, &mut |raw| {
                    progress.add(raw.len() as u64);
                    toc.pass(raw);
                });
                if finished.is_err() {
                    // The fingerprint is of no use now. A server that is gone ends it by itself.
                    let admin = self.server.uncancelled().admin();
                    let _ = admin.and_then(|mut admin| admin.end(pid));
                }
                (finished, toc, start.elapsed().as_secs_f64())
            });
            let start = Instant::now();
            let printed = snapshot.fingerprint(&mut |table| progress.at(table));
            let printed = printed.map(|print| (print, start.elapsed().as_secs_f64()));
            (dump.join(), printed)
        });
        let (finished, toc, dump_seconds) =
            dumped.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let finished = finished?;
        let (mut fingerprint, print_seconds) = printed?;
        snapshot.sequences_after(&mut fingerprint)?;
        run.took("dump", dump_seconds);
        run.took("fingerprint", print_seconds);
        run.done(format!("dumped database '{name}'"));

        let references = self
            .references
            .map(|query| spool_references(&mut snapshot, query, dir))
            .transpose()?;
        // Its snapshot keeps the server from cleaning up.
        drop(snapshot);
        let globals = self.globals(run, dir)?;
        let database = Database {
            name: facts.name,
            owner: facts.owner,
            server_version: facts.server_version,
            server_version_num: facts.server_version_num,
            encoding: facts.encoding,
            collate: facts.collate,
            ctype: facts.ctype,
            locale_provider: facts.locale_provider,
            icu_locale: facts.icu_locale,
            icu_rules: facts.icu_rules,
            collation_version: facts.collation_version,
            image: self.server.image()?,
            roles: facts.roles,
            settings: facts.settings,
            grants: facts.grants,
            tablespace: facts.tablespace,
            connection_limit: facts.connection_limit,
            comment: facts.comment,
            dump_bytes: finished.raw_bytes,
            fingerprint,
        };
        let stored_bytes = finished.object.bytes;
        let mut objects = vec![finished.object, globals];
        if let Some(toc) = toc.finish() {
            objects.push(self.store_toc(&toc, dir)?);
        }
        Ok(Dumped {
            database,
            objects,
            stored_bytes,
            references,
        })
    }

    /// Stores the roles, with their password hashes if this role may read them.
    fn globals(&self, run: &mut Run, dir: &Path) -> Result<Object, Error> {
        let superuser = self.server.admin()?.setting("is_superuser")? == "on";
        if !superuser {
            run.warn("the role is no superuser: the set holds roles without their passwords");
        }
        let program = self.server.globals(superuser)?;
        Ok(self.store(program, dir, GLOBALS, &mut |_| {})?.object)
    }

    fn store_toc(&self, toc: &[u8], dir: &Path) -> Result<Object, Error> {
        let write = |source| Error::Write {
            path: dir.join(TOC),
            source,
        };
        let mut stored = Stored::create(dir, TOC, self.compression).map_err(write)?;
        stored.write_all(toc).map_err(write)?;
        Ok(stored.finish().map_err(write)?.object)
    }

    /// Stores all that `program` writes as the object `stem`. It exists only if the program
    /// succeeds.
    fn store(
        &self,
        mut program: Program,
        dir: &Path,
        stem: &str,
        on_raw: &mut dyn FnMut(&[u8]),
    ) -> Result<Finished, Error> {
        let write = |source| Error::Write {
            path: dir.join(stem),
            source,
        };
        let mut output = program.output()?;
        let mut head = Vec::with_capacity(ZSTD_MAGIC.len());
        if let Err(error) = output
            .by_ref()
            .take(ZSTD_MAGIC.len() as u64)
            .read_to_end(&mut head)
        {
            return Err(program.explain(error).into());
        }
        let mut stored = match self.compression {
            Compression::Zstd { .. } if head == ZSTD_MAGIC => Stored::create_packed(dir, stem),
            other => Stored::create(dir, stem, other),
        }
        .map_err(write)?;
        let mut output = head.as_slice().chain(output);
        let mut buffer = vec![0; CHUNK];
        loop {
            let before = stored.raw_bytes();
            match output.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => stored.put(&buffer[..count], on_raw).map_err(write)?,
                Err(error) => return Err(program.explain(error).into()),
            }
            let bytes = stored.raw_bytes() - before;
            if let Ok(mut throttle) = self.throttle.lock() {
                throttle.pass(bytes);
            }
        }
        program.wait()?;
        stored.finish().map_err(write)
    }
}

/// Checks that the server understands `query`, of which nothing is read yet.
pub(crate) fn try_references(
    server: &Server,
    query: &str,
    lock_wait: Duration,
) -> Result<(), th_postgres::Error> {
    let mut snapshot = Snapshot::take(server, server.database(), lock_wait)?;
    let query = query.trim().trim_end_matches(';');
    snapshot.references(&format!("SELECT * FROM (\n{query}\n) r LIMIT 0"), |_| {})
}

/// Writes what `query` returns to an unlinked file: there may be more paths than memory.
fn spool_references(snapshot: &mut Snapshot, query: &str, dir: &Path) -> Result<File, Error> {
    let write = |source| Error::Write {
        path: dir.join("references"),
        source,
    };
    let mut spool = BufWriter::new(tempfile::tempfile_in(dir).map_err(write)?);
    let mut written = Ok(());
    snapshot.references(query, |path| {
        if written.is_ok() {
            let line = serde_json::to_string(&path).map_err(std::io::Error::from);
            written = line.and_then(|line| writeln!(spool, "{line}"));
        }
    })?;
    written.map_err(write)?;
    let mut file = spool
        .into_inner()
        .map_err(|error| write(error.into_error()))?;
    file.rewind().map_err(write)?;
    Ok(file)
}
