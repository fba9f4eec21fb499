//! Putting a set live.

use std::path::PathBuf;

use chrono::Utc;
use th_cli::{Outcome, Run};
use th_postgres::{Facts, Role, Server};
use th_proof::Ladder;
use th_record::kind::{Applied, Databases, FileChanges};
use th_record::{Id, Level, Manifest};
use th_state::restores::{Phase, Restore, Swap};

use crate::args::{Part, SetArgs};
use crate::context::Context;
use crate::guard::{prove_bytes, refuse};
use crate::moves::{Aside, Way};
use crate::parts::Parts;
use crate::plan::{self, Targets};
use crate::{Error, choice, files, pending, preflight, summary};

/// Restores beside what is live, proves it there, and switches.
pub(crate) fn apply(
    context: &Context,
    run: &mut Run,
    set: &SetArgs,
    only: Option<Part>,
) -> Result<Outcome, Error> {
    let manifest = context.manifest(set, run)?;
    let parts = Parts::of(context, &manifest, only)?;
    let exclude = context.exclude(&manifest)?;
    if parts.files.is_some() {
        context.env.check_nesting(|path| exclude.matches(path))?;
    }
    let server = if parts.database {
        context.server(run)?
    } else {
        None
    };
    choice::warn_of_another(context, run, &manifest, server.as_ref());
    let lock = context.lock(run, server.as_ref())?;

    let id = Id::new(Utc::now());
    let live = match &server {
        Some(server) => Some(Live::look(server, &manifest, &id)?),
        None => None,
    };
    let store = context.store()?;
    let files = parts.files.as_deref().map(|root| (root, &exclude));
    let spaces = preflight::spaces(server.as_ref(), &manifest, store, files)?;
    if lock.is_none() {
        let text = |path: &Option<PathBuf>| {
            let path = path.as_ref()?;
            Some(path.to_string_lossy().into_owned())
        };
        let (files, config) = (text(&parts.files), text(&parts.config));
        let targets = Targets {
            database: live.as_ref().map(|live| &live.swap),
            files: files.as_deref(),
            config: config.as_deref(),
        };
        let proof = store.proof(&manifest.id)?.and_then(|proof| proof.highest());
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
        roots: parts.files.iter().chain(&parts.config).cloned().collect(),
    };
    restore.enter(&context.state, Phase::Staging, None)?;
    let staged = stage(
        context,
        run,
        &manifest,
        &parts,
        &restore,
        server.as_ref(),
        live.as_ref(),
    );
    // From here on a signal stops nothing: what is begun is finished or taken back.
    let server = server.as_ref().map(Server::uncancelled);
    let switched = staged.and_then(|staged| {
        restore.enter(&context.state, Phase::Switching, None)?;
        Ok((rename(run, server.as_ref(), &restore)?, staged))
    });
    let (closed, mut staged) = switched.inspect_err(|error| {
        if !matches!(error, Error::HalfWay(_)) {
            // Nothing is live yet. What cannot be dropped now is dropped by the next run.
            let _ = pending::discard(&context.state, &restore, server.as_ref());
        }
    })?;
    move_files(context, run, &restore, server.as_ref())?;
    for changes in staged.files.iter_mut().chain(&mut staged.config) {
        let kept = Aside::new(changes.root.as_ref(), &restore.id).kept();
        changes.kept = kept.map(|path| path.to_string_lossy().into_owned());
    }
    let finished = restore.finish(&context.state, false);
    finished.map_err(|error| Error::from(error).half_way())?;

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
        proof: Some(staged.proof),
        // A database that took no other's place has nothing to go back to.
        undoable: restore.database.is_none_or(|swap| swap.kept.is_some()),
        phases: run.take_phases(),
    };
    Ok(Outcome::done("restored", &applied, summary::applied(&applied)).changed())
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
        let there = admin.has(&live)?;
        let facts = if there {
            server.facts(&live)?
        } else {
            database.into()
        };
        let sessions = admin.sessions(&live)?;
        let swap = Swap {
            next: preflight::beside(&live, Role::Restore, id)?,
            kept: there
                .then(|| preflight::beside(&live, Role::Before, id))
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
    proof: Level,
    files: Option<FileChanges>,
    config: Option<FileChanges>,
}

fn stage(
    context: &Context,
    run: &mut Run,
    manifest: &Manifest,
    parts: &Parts,
    restore: &Restore,
    server: Option<&Server>,
    live: Option<&Live>,
) -> Result<Staged, Error> {
    let store = context.store()?;
    let mut staged = Staged {
        proof: Level::Bytes,
        files: None,
        config: None,
    };
    if let Some(root) = &parts.files {
        let exclude = context.exclude(manifest)?;
        let aside = Aside::new(root, &restore.id);
        let changes = run.phase("write_files", |run| {
            files::stage(run, store, manifest, root, &exclude, &aside)
        })?;
        staged.files = Some(changes);
        run.done("wrote the files beside the live ones");
    }
    if let Some(root) = &parts.config {
        let aside = Aside::new(root, &restore.id);
        staged.config = Some(files::stage_config(run, store, manifest, root, &aside)?);
    }
    if let (Some(server), Some(live)) = (server, live) {
        let name = &live.swap.next;
        let app_query = context.env.backup.app_query.as_deref();
        let ladder = Ladder {
            app_query,
            ..Ladder::of(store, manifest)
        };
        let proven = ladder.climb_in_place(run, server, name)?;
        refuse(manifest, &proven.differences)?;
        staged.proof = proven.highest().unwrap_or(staged.proof);
        server.admin()?.carry(name, &live.facts)?;
        run.done("restored the database beside the live one, and compared it");
    }
    if run.cancelled() {
        return Err(Error::Cancelled);
    }
    Ok(staged)
}

fn rename(run: &mut Run, server: Option<&Server>, restore: &Restore) -> Result<u64, Error> {
    match (&restore.database, server) {
        (Some(swap), Some(server)) => {
            let mut admin = server.admin()?;
            let closed = run.phase("rename", |_| pending::rename(swap, &mut admin))?;
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
        pending::asides(restore).try_for_each(|aside| aside.go(Way::Forth).map(|_| ()))
    });
    let Err(error) = moved else {
        return Ok(());
    };
    let back = || -> Result<(), Error> {
        for aside in pending::asides(restore) {
            aside.go(Way::Back)?;
        }
        if let (Some(swap), Some(server)) = (&restore.database, server) {
            let mut admin = server.admin()?;
            match swap.back(swap.next.clone()) {
                Some(back) => pending::rename(&back, &mut admin)?,
                None => admin.rename(&[(&swap.live, &swap.next)])?,
            };
        }
        pending::discard(&context.state, restore, server)
    };
    match back() {
        Ok(()) => Err(Error::RolledBack(Box::new(error))),
        Err(_) => Err(Error::HalfWay(Box::new(error))),
    }
}
