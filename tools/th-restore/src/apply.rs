//! Putting a set live.

use std::path::Path;

use chrono::Utc;
use th_archive::Exclude;
use th_cli::{Outcome, Run};
use th_postgres::{Facts, Server};
use th_proof::{Copy, Ladder};
use th_record::kind::{Applied, Databases, FileChanges};
use th_record::{Difference, Id, Level, Manifest};

use crate::args::{Part, SetArgs};
use crate::context::Context;
use crate::moves::{Aside, Way};
use crate::pending::{self, Phase, Restore, Swap};
use crate::plan::{self, Targets};
use crate::{Error, files, preflight, summary};

/// Restores beside what is live, proves it there, and switches.
pub(crate) fn apply(
    context: &Context,
    run: &mut Run,
    set: &SetArgs,
    only: Option<Part>,
) -> Result<Outcome, Error> {
    let manifest = context.manifest(set, run)?;
    let parts = Parts::of(context, &manifest, only)?;
    let server = if parts.database {
        context.server(run)?
    } else {
        None
    };
    let lock = match run.output.plan {
        true => None,
        false => Some(context.lock(run, server.as_ref())?),
    };

    let id = Id::new(Utc::now());
    let live = match &server {
        Some(server) => Some(Live::look(server, &manifest, &id)?),
        None => None,
    };
    let exclude = Exclude::new(&context.env.files.exclude)?;
    let files = parts.files.map(|root| (root, &exclude));
    let spaces = preflight::spaces(server.as_ref(), &manifest, context.store.path(), files)?;
    if lock.is_none() {
        let text = |path: Option<&Path>| path.map(|path| path.to_string_lossy().into_owned());
        let (files, config) = (text(parts.files), text(parts.config));
        let targets = Targets {
            database: live.as_ref().map(|live| &live.swap),
            files: files.as_deref(),
            config: config.as_deref(),
        };
        let proof = context
            .store
            .proof(&manifest.id)?
            .and_then(|proof| proof.highest());
        let sessions = live.as_ref().map_or(0, |live| live.sessions);
        let plan = plan::apply(&manifest, proof, targets, sessions, spaces);
        return Ok(Outcome::plan("restore_plan", &plan, summary::plan(&plan)));
    }
    if let Some(server) = &server {
        preflight::check_server(server, &manifest)?;
    }
    preflight::check_spaces(&spaces)?;
    prove_bytes(context, run, &manifest)?;

    let restore = Restore {
        id,
        set: manifest.id.clone(),
        database: live.as_ref().map(|live| live.swap.clone()),
        roots: parts
            .files
            .into_iter()
            .chain(parts.config)
            .map(Path::to_owned)
            .collect(),
    };
    pending::note(&context.state, &restore, Phase::Staging, false)?;
    let staged = stage(
        context,
        run,
        &manifest,
        &parts,
        &restore,
        server.as_ref(),
        live.as_ref(),
    );
    let (staged, closed) = match staged.and_then(|staged| {
        pending::note(&context.state, &restore, Phase::Switching, false)?;
        let closed = rename(run, server.as_ref(), &restore)?;
        Ok((staged, closed))
    }) {
        Ok(switched) => switched,
        Err(error) => {
            // Nothing is live yet. What cannot be dropped now is dropped by the next run.
            let _ = pending::discard(&context.state, &restore, server.as_ref());
            return Err(error);
        }
    };
    move_files(context, run, &restore, server.as_ref())?;
    pending::finish(&context.state, &restore, false)?;

    let applied = Applied {
        set: manifest.id.clone(),
        snapshot_at: manifest.started_at,
        database: live.map(|live| Databases {
            live: live.swap.live,
            kept: live.swap.kept,
            closed_sessions: closed,
            rows: manifest
                .database
                .as_ref()
                .map(|database| database.fingerprint.rows()),
        }),
        files: staged.files,
        config: staged.config,
        proof: Some(if server.is_some() {
            Level::Content
        } else {
            Level::Bytes
        }),
        // A database that took no other's place has nothing to go back to.
        undoable: restore.database.is_none_or(|swap| swap.kept.is_some()),
        phases: run.take_phases(),
    };
    Ok(Outcome::done("restored", &applied, summary::applied(&applied)).changed())
}

/// Restores one part into another database or directory, and leaves what is live alone.
pub(crate) fn apply_beside(
    context: &Context,
    run: &mut Run,
    set: &SetArgs,
    only: Option<Part>,
    into: &str,
    table: Option<&str>,
) -> Result<Outcome, Error> {
    let manifest = context.manifest(set, run)?;
    let server = if only == Some(Part::Db) {
        context.server(run)?
    } else {
        None
    };
    if run.output.plan {
        let swap = Swap {
            live: into.to_owned(),
            next: into.to_owned(),
            kept: None,
        };
        let targets = Targets {
            database: (only == Some(Part::Db)).then_some(&swap),
            files: (only == Some(Part::Files)).then_some(into),
            config: (only == Some(Part::Config)).then_some(into),
        };
        let plan = plan::apply(&manifest, None, targets, 0, Vec::new());
        return Ok(Outcome::plan("restore_plan", &plan, summary::plan(&plan)));
    }
    let _lock = context.lock(run, server.as_ref())?;
    prove_bytes(context, run, &manifest)?;
    let (store, target) = (&context.store, Path::new(into));
    let mut applied = Applied {
        set: manifest.id.clone(),
        snapshot_at: manifest.started_at,
        database: None,
        files: None,
        config: None,
        proof: Some(Level::Bytes),
        undoable: false,
        phases: Vec::new(),
    };
    match only {
        Some(Part::Files) => {
            applied.files = Some(files::unpack_into(run, store, &manifest, target)?);
        }
        Some(Part::Config) => applied.config = Some(files::config_into(store, &manifest, target)?),
        Some(Part::Db) => {
            let server = server.as_ref().ok_or(Error::Usage(NO_DATABASE))?;
            preflight::check_server(server, &manifest)?;
            let copy = Copy {
                store,
                manifest: &manifest,
                server,
                name: into,
            };
            let rows = match table {
                Some(table) => restore_table(run, copy, table)?,
                None => restore_beside(run, copy)?,
            };
            applied.proof = Some(Level::Content);
            applied.database = Some(Databases {
                live: into.to_owned(),
                kept: None,
                closed_sessions: 0,
                rows: Some(rows),
            });
        }
        None => return Err(Error::Usage("--into needs --only db, files or config")),
    }
    applied.phases = run.take_phases();
    Ok(Outcome::done("restored", &applied, summary::applied(&applied)).changed())
}

const NO_DATABASE: &str = "no database is given to restore into";

/// What of a set is to be restored, and where to.
struct Parts<'a> {
    database: bool,
    files: Option<&'a Path>,
    config: Option<&'a Path>,
}

impl<'a> Parts<'a> {
    /// Without `--only`, the database and the files that both the set and the environment have.
    /// The configuration is restored only when asked for: it may hold newer secrets.
    fn of(context: &'a Context, manifest: &Manifest, only: Option<Part>) -> Result<Self, Error> {
        let env = &context.env;
        let wants = |part| only == Some(part);
        let uploads = env.files.uploads.as_deref();
        if wants(Part::Db) && manifest.database.is_none() {
            return Err(Error::Nothing("the set holds no database"));
        }
        if wants(Part::Db) && env.database.is_none() {
            return Err(Error::Usage(NO_DATABASE));
        }
        if wants(Part::Files) && manifest.files.is_none() {
            return Err(Error::Nothing("the set holds no files"));
        }
        if wants(Part::Files) && uploads.is_none() {
            return Err(Error::Usage(
                "no directory of files is given to restore into",
            ));
        }
        if wants(Part::Config) && manifest.config.is_none() {
            return Err(Error::Nothing("the set holds no configuration files"));
        }
        let parts = Self {
            database: (only.is_none() || wants(Part::Db))
                && manifest.database.is_some()
                && env.database.is_some(),
            files: uploads
                .filter(|_| (only.is_none() || wants(Part::Files)) && manifest.files.is_some()),
            config: wants(Part::Config).then_some(env.files.root.as_path()),
        };
        if !parts.database && parts.files.is_none() && parts.config.is_none() {
            return Err(Error::Nothing(
                "the set holds nothing that this environment has",
            ));
        }
        Ok(parts)
    }
}

/// The live database, as it was found.
struct Live {
    swap: Swap,
    /// What the restored database must be like; of the live one if it is there.
    facts: Facts,
    sessions: u64,
}

impl Live {
    fn look(server: &Server, manifest: &Manifest, id: &Id) -> Result<Self, Error> {
        let database = manifest
            .database
            .as_ref()
            .ok_or(Error::Nothing("the set holds no database"))?;
        let live = server.database().to_owned();
        let mut admin = server.admin()?;
        let there = admin
            .databases()?
            .iter()
            .any(|database| database.name == live);
        let facts = if there {
            server.facts(&live)?
        } else {
            database.into()
        };
        let sessions = admin.sessions(&live)?;
        let swap = Swap {
            next: preflight::beside(&live, "restore", id)?,
            kept: there
                .then(|| preflight::beside(&live, "before", id))
                .transpose()?,
            live,
        };
        Ok(Self {
            swap,
            facts,
            sessions,
        })
    }
}

/// What was written beside the live.
struct Staged {
    files: Option<FileChanges>,
    config: Option<FileChanges>,
}

fn stage(
    context: &Context,
    run: &mut Run,
    manifest: &Manifest,
    parts: &Parts<'_>,
    restore: &Restore,
    server: Option<&Server>,
    live: Option<&Live>,
) -> Result<Staged, Error> {
    let store = &context.store;
    let mut staged = Staged {
        files: None,
        config: None,
    };
    if let Some(root) = parts.files {
        let exclude = Exclude::new(&context.env.files.exclude)?;
        let aside = Aside::new(root, &restore.id);
        let changes = run.phase("write_files", |run| {
            files::stage(run, store, manifest, root, &exclude, &aside)
        })?;
        staged.files = Some(changes);
        run.done("wrote the files beside the live ones");
    }
    if let Some(root) = parts.config {
        let aside = Aside::new(root, &restore.id);
        staged.config = Some(files::stage_config(store, manifest, root, &aside)?);
    }
    if let (Some(server), Some(live)) = (server, live) {
        let name = &live.swap.next;
        let app_query = context.env.backup.app_query.as_deref();
        let ladder = Ladder {
            store,
            manifest,
            server: None,
            app_query,
        };
        refuse(
            manifest,
            &ladder.climb_in_place(run, server, name)?.differences,
        )?;
        server.admin()?.carry(name, &live.facts)?;
        run.done("restored the database beside the live one, and compared it");
    }
    if run.cancelled() {
        return Err(Error::Usage("told to stop before the switch"));
    }
    Ok(staged)
}

fn rename(run: &mut Run, server: Option<&Server>, restore: &Restore) -> Result<u64, Error> {
    match (&restore.database, server) {
        (Some(swap), Some(server)) => {
            let mut admin = server.admin()?;
            let closed = run.phase("rename", |_| swap.go(&mut admin))?;
            run.done("switched the databases");
            Ok(closed)
        }
        _ => Ok(0),
    }
}

/// Moves the files; when that fails, takes everything back, the databases included.
fn move_files(
    context: &Context,
    run: &mut Run,
    restore: &Restore,
    server: Option<&Server>,
) -> Result<(), Error> {
    let moved = run.phase("move_files", |_| {
        restore
            .asides()
            .try_for_each(|aside| aside.go(Way::Forth).map(|_| ()))
    });
    let Err(error) = moved else {
        return Ok(());
    };
    let back = || -> Result<(), Error> {
        for aside in restore.asides() {
            aside.go(Way::Back)?;
        }
        if let (Some(swap), Some(server)) = (&restore.database, server) {
            let mut admin = server.admin()?;
            match &swap.kept {
                Some(kept) => {
                    admin.rename(&[(&swap.live, &swap.next), (kept, &swap.live)])?;
                }
                None => {
                    admin.rename(&[(&swap.live, &swap.next)])?;
                }
            }
        }
        pending::discard(&context.state, restore, server)
    };
    match back() {
        Ok(()) => Err(Error::RolledBack(Box::new(error))),
        Err(_) => Err(Error::HalfWay(Box::new(error))),
    }
}

/// Reads every byte of the set first: a damaged set is refused before anything is made of it.
fn prove_bytes(context: &Context, run: &mut Run, manifest: &Manifest) -> Result<(), Error> {
    let ladder = Ladder {
        store: &context.store,
        manifest,
        server: None,
        app_query: None,
    };
    refuse(manifest, &ladder.climb(run, Level::Bytes)?.differences)
}

fn refuse(manifest: &Manifest, differences: &[Difference]) -> Result<(), Error> {
    match differences {
        [] => Ok(()),
        [first, more @ ..] => Err(Error::Content {
            set: manifest.id.clone(),
            what: first.what.clone(),
            name: first.name.clone(),
            more: more.len(),
        }),
    }
}

/// Restores a whole database that must not be there yet; drops it again when it is not equal.
fn restore_beside(run: &mut Run, copy: Copy<'_>) -> Result<u64, Error> {
    let mut admin = copy.server.admin()?;
    if admin
        .databases()?
        .iter()
        .any(|database| database.name == copy.name)
    {
        return Err(Error::Exists(copy.name.to_owned()));
    }
    let ladder = Ladder {
        store: copy.store,
        manifest: copy.manifest,
        server: None,
        app_query: None,
    };
    let proven = ladder
        .climb_in_place(run, copy.server, copy.name)
        .map_err(Error::from)
        .and_then(|proven| refuse(copy.manifest, &proven.differences));
    if proven.is_err() {
        admin.drop(copy.name)?;
    }
    proven?;
    Ok(copy
        .manifest
        .database
        .as_ref()
        .map_or(0, |database| database.fingerprint.rows()))
}

/// Restores one table into a database, which is made if it is not there.
fn restore_table(run: &mut Run, copy: Copy<'_>, table: &str) -> Result<u64, Error> {
    let (schema, name) = table
        .split_once('.')
        .ok_or(Error::Usage("a table is written schema.table"))?;
    let known = copy.manifest.database.as_ref().and_then(|database| {
        let mut tables = database.fingerprint.tables.iter();
        tables.find(|table| table.schema == schema && table.name == name)
    });
    let known = known.ok_or(Error::Nothing("the set has no such table"))?;
    run.phase("restore_database", |run| {
        copy.restore(run, Some((schema, name)))
    })?;
    let found = copy.server.fingerprint(copy.name, &mut |_| {})?;
    let mut tables = found.tables.iter();
    let found = tables.find(|table| table.schema == schema && table.name == name);
    let difference = th_postgres::table_difference(known, found);
    refuse(copy.manifest, difference.as_slice())?;
    Ok(known.rows)
}
