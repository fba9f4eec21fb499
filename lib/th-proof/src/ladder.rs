//! Climbing the ladder.

use std::collections::HashSet;
use std::time::Instant;

use chrono::{SubsecRound, Utc};
use th_archive::Watch;
use th_cli::Run;
use th_postgres::{Role, Server};
use th_record::{Difference, ErrorKind, Fail, Failure, Level, Manifest, Reached};
use th_store::Store;

use crate::copy::StoredDump;
use crate::scratch::{Place, check_version};
use crate::{Copy, Error, check_app};

/// A set, and what there is to prove it with.
#[derive(Debug, Clone, Copy)]
pub struct Ladder<'a> {
    /// Where the set is.
    pub store: &'a Store,
    /// The set.
    pub manifest: &'a Manifest,
    /// The server to decode and restore with; not needed for `bytes`.
    pub server: Option<&'a Server>,
    /// The query of the level `app`.
    pub app_query: Option<&'a str>,
    /// Packs that need not be read again, since an earlier proof has read them.
    pub trusted: Option<&'a HashSet<String>>,
}

/// How far a set has been proven.
#[derive(Debug, Default)]
pub struct Proven {
    /// The levels reached, lowest first.
    pub reached: Vec<Reached>,
    /// Why the next level was not reached; none when all that was wanted was.
    pub differences: Vec<Difference>,
    /// Where the dump was restored, if it was: `container` or `database`.
    pub scratch: Option<&'static str>,
    /// The level that has differences.
    failed: Option<Level>,
    /// Whether the set's proof says so now: what was reached, and no longer what was not.
    pub noted: bool,
}

impl Proven {
    /// Returns the highest level reached.
    pub fn highest(&self) -> Option<Level> {
        self.reached.last().map(|reached| reached.level)
    }
}

/// Returns the highest level up to `wanted` that the set has: one without a database has only `bytes`.
pub fn reachable(manifest: &Manifest, wanted: Level) -> Level {
    match manifest.database {
        Some(_) => wanted,
        None => Level::Bytes,
    }
}

impl<'a> Ladder<'a> {
    /// Returns a set alone, which is enough for the level `bytes`.
    pub fn of(store: &'a Store, manifest: &'a Manifest) -> Self {
        Self {
            store,
            manifest,
            server: None,
            app_query: None,
            trusted: None,
        }
    }

    /// Climbs to `wanted`, or to the first level that the set does not hold at, and stores the
    /// levels reached on the set; that level and those above it are proven no longer. A store that
    /// cannot be written to is only warned of. A set without a database has only the level `bytes`.
    ///
    /// # Errors
    /// [`Error`], when something else than the set is to blame.
    pub fn climb(&self, run: &mut Run, wanted: Level) -> Result<Proven, Error> {
        let wanted = reachable(self.manifest, wanted);
        if wanted == Level::App && self.app_query.is_none() {
            return Err(Error::NoQuery);
        }
        if wanted > Level::Bytes {
            check_version(self.server()?, self.manifest, wanted)?;
        }
        let mut proven = Proven::default();
        let result = self.steps(run, wanted, &mut proven);
        self.record(run, proven, result)
    }

    /// Makes the database `name` on `server` a copy of the set and proves that, up to the level
    /// `app` if there is a query, else `content`. The copy stays.
    ///
    /// # Errors
    /// [`Error`], when something else than the set is to blame.
    pub fn climb_in_place(
        &self,
        run: &mut Run,
        server: &Server,
        name: &str,
    ) -> Result<Proven, Error> {
        let wanted = match self.app_query {
            Some(_) => Level::App,
            None => Level::Content,
        };
        let Self {
            store, manifest, ..
        } = *self;
        let copy = Copy {
            store,
            manifest,
            server,
            name,
        };
        let mut proven = Proven::default();
        let result = self.upper_steps(run, wanted, copy, &mut proven);
        self.record(run, proven, result)
    }

    /// Stores what was reached, and takes back what does not hold any more. What was reached before
    /// an error was reached all the same.
    fn record(
        &self,
        run: &mut Run,
        mut proven: Proven,
        result: Result<(), Error>,
    ) -> Result<Proven, Error> {
        match self.note(&mut proven) {
            Ok(()) => {}
            // A store may be full, or one that may only be read; and that the set does not hold must
            // be told wherever.
            Err(error)
                if proven.failed.is_some() || matches!(error, th_store::Error::Io { .. }) =>
            {
                run.warn(format!(
                    "what was found of set {} is not noted: {}",
                    self.manifest.id,
                    Failure::of(&error).message
                ));
            }
            Err(error) => return Err(error.into()),
        }
        result.map(|()| proven)
    }

    fn note(&self, proven: &mut Proven) -> Result<(), th_store::Error> {
        let id = &self.manifest.id;
        if let Some(failed) = proven.failed {
            proven.noted = self.store.void_proof(id, failed)?;
        }
        if !proven.reached.is_empty() {
            self.store.record_proof(id, proven.reached.clone())?;
            proven.noted = true;
        }
        Ok(())
    }

    fn steps(&self, run: &mut Run, wanted: Level, proven: &mut Proven) -> Result<(), Error> {
        let mut climbed = self.step(run, proven, Level::Bytes, |run| self.bytes(run))?;
        if climbed && wanted >= Level::Decode {
            let server = self.server()?;
            climbed = self.step(run, proven, Level::Decode, |run| self.decode(run, server))?;
        }
        if !climbed || wanted < Level::Restore {
            return Ok(());
        }
        let server = self.server()?;
        let name = Role::Verify.name(server.database(), &self.manifest.id);
        let place = Place::make(run, self.store, self.manifest, server, &name)?;
        proven.scratch = Some(place.kind());
        let Self {
            store, manifest, ..
        } = *self;
        let copy = Copy {
            store,
            manifest,
            server: place.server(),
            name: &name,
        };
        self.upper_steps(run, wanted, copy, proven)
    }

    fn upper_steps(
        &self,
        run: &mut Run,
        wanted: Level,
        copy: Copy<'_>,
        proven: &mut Proven,
    ) -> Result<(), Error> {
        let mut climbed = self.step(run, proven, Level::Restore, |run| {
            blame_set("dump", copy.restore(run, None))
        })?;
        if climbed && wanted >= Level::Content {
            climbed = self.step(run, proven, Level::Content, |run| copy.compare(run))?;
        }
        if let (true, Level::App, Some(query)) = (climbed, wanted, self.app_query) {
            self.step(run, proven, Level::App, |_| {
                check_app(copy.server, copy.name, query)
            })?;
        }
        Ok(())
    }

    /// Does one step; returns whether the level was reached.
    fn step(
        &self,
        run: &mut Run,
        proven: &mut Proven,
        level: Level,
        check: impl FnOnce(&mut Run) -> Result<Vec<Difference>, Error>,
    ) -> Result<bool, Error> {
        let start = Instant::now();
        proven.differences = check(run)?;
        let duration_seconds = start.elapsed().as_secs_f64();
        run.took(level.name(), duration_seconds);
        if !proven.differences.is_empty() {
            proven.failed = Some(level);
            return Ok(false);
        }
        run.done(format!("proved {level}"));
        proven.reached.push(Reached {
            level,
            at: Utc::now().trunc_subsecs(0),
            tool: run.tool.to_owned(),
            version: run.version.to_owned(),
            duration_seconds,
        });
        Ok(true)
    }

    fn server(&self) -> Result<&Server, Error> {
        self.server
            .ok_or_else(|| Error::NoServer(self.manifest.id.clone()))
    }

    fn bytes(&self, run: &mut Run) -> Result<Vec<Difference>, Error> {
        let progress = run.progress("bytes", Some(self.manifest.stored_bytes()));
        let cancel = run.cancel();
        let mut on = |path: &std::path::Path, bytes| {
            progress.at(&path.to_string_lossy());
            progress.add(bytes);
        };
        let mut watch = Watch::new(&cancel, &mut on);
        let found = self.store.verify_bytes(
            self.manifest,
            self.trusted.unwrap_or(&HashSet::new()),
            &mut watch,
        )?;
        if let Err(error) = self.store.note_damage(&found) {
            run.warn(format!(
                "which packs are damaged is not noted: {}",
                Failure::of(&error).message
            ));
        }
        for name in found.unknown {
            run.warn(format!(
                "'{name}' is in the set's directory but not in its manifest"
            ));
        }
        Ok(found.differences)
    }

    fn decode(&self, run: &mut Run, server: &Server) -> Result<Vec<Difference>, Error> {
        let bytes = self
            .manifest
            .database
            .as_ref()
            .map_or(0, |database| database.dump_bytes);
        let progress = run.progress("decode", Some(bytes));
        let mut dump = StoredDump::open(self.store, self.manifest)?;
        let mut on_bytes = |bytes| progress.add(bytes);
        let decoded = server.decode(dump.dump(&mut on_bytes));
        blame_set("dump", decoded.map_err(Error::from))
    }
}

/// Turns a refusal by PostgreSQL into the answer that the set does not hold; everything else
/// stays an error.
fn blame_set(what: &str, result: Result<(), Error>) -> Result<Vec<Difference>, Error> {
    match result {
        Ok(()) => Ok(Vec::new()),
        Err(error) if matches!(error.kind(), ErrorKind::Database) => Ok(vec![Difference {
            what: what.to_owned(),
            name: "pg_restore".to_owned(),
            expected: Some("restores".to_owned()),
            found: Some(Failure::of(&error).message),
        }]),
        Err(error) => Err(error),
    }
}
