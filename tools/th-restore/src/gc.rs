//! Dropping what restores have kept.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use th_archive::RESERVED;
use th_cli::{Outcome, Run};
use th_postgres::Role;
use th_record::kind::{Gc, Removed};
use th_record::{ErrorKind, Failure, Id};
use th_state::restores::Restore;

use crate::context::Context;
use crate::moves::Aside;
use crate::{Error, summary};

/// Drops databases and files that have been kept for longer than `older_than`.
pub(crate) fn gc(context: &Context, run: &mut Run, older_than: Duration) -> Result<Outcome, Error> {
    let server = context.server(run)?;
    let _lock = context.lock(run, server.as_ref())?;
    let last = Restore::last(&context.state)?;
    let mut collector = Collector {
        limit: Utc::now() - older_than,
        gc: Gc {
            removed: Vec::new(),
            kept: 0,
        },
        failed: Vec::new(),
        run,
    };
    if let Some(server) = &server {
        let mut admin = server.admin()?;
        for database in admin.beside(server.database())? {
            let beside = database.beside;
            if matches!(beside.role, Role::Before | Role::Undone) {
                let kept = Removed {
                    what: "database".to_owned(),
                    name: database.name,
                    since_at: beside.id.at(),
                    bytes: database.size_bytes,
                };
                let swap = last.as_ref().and_then(|last| last.database.as_ref());
                let for_undo = swap.and_then(|swap| swap.kept.as_ref()) == Some(&kept.name);
                collector.take(kept, |name, run| {
                    admin.drop(name)?;
                    forget(context, run, for_undo)
                });
            }
        }
    }
    let files = &context.env.files;
    // With flags alone, the root of the configuration is wherever this runs.
    let root = context.env.name.is_some().then_some(&files.root);
    for root in files.uploads.iter().chain(root) {
        for id in asides(root)? {
            let aside = Aside::new(root, &id);
            let kept = Removed {
                what: "files".to_owned(),
                name: aside.dir().to_string_lossy().into_owned(),
                since_at: id.at(),
                bytes: size(&aside.dir()),
            };
            let for_undo = last.as_ref().is_some_and(|last| last.id == id);
            collector.take(kept, |_, run| {
                // Where it fails, some of them are gone.
                aside.discard().inspect_err(|_| run.changed())?;
                forget(context, run, for_undo)
            });
        }
    }
    collector.outcome()
}

/// What is done so far. What cannot be dropped does not keep the rest.
struct Collector<'a> {
    limit: DateTime<Utc>,
    gc: Gc,
    failed: Vec<(String, Error)>,
    run: &'a mut Run,
}

impl Collector<'_> {
    /// Drops what is kept, if it is old enough.
    fn take(&mut self, kept: Removed, drop: impl FnOnce(&str, &mut Run) -> Result<(), Error>) {
        if kept.since_at > self.limit {
            self.gc.kept += 1;
            return;
        }
        if !self.run.output.plan {
            if let Err(error) = drop(&kept.name, self.run) {
                self.failed.push((kept.name, error));
                return;
            }
            self.run
                .done(format!("dropped {} '{}'", kept.what, kept.name));
            self.run.changed();
        }
        self.gc.removed.push(kept);
    }

    /// Says what was done, and what could not be.
    fn outcome(mut self) -> Result<Outcome, Error> {
        let gc = &self.gc;
        let summary = summary::gc(gc);
        let outcome = if self.run.output.plan {
            Outcome::plan("gc", gc, summary)
        } else {
            Outcome::done("gc", gc, summary)
        };
        let count = self.failed.len();
        if self.failed.is_empty() {
            return Ok(outcome);
        }
        let (name, first) = self.failed.swap_remove(0);
        if gc.removed.is_empty() {
            return Err(first);
        }
        let why = Failure::of(&first);
        let kind = if self.run.cancelled() {
            // The frame makes of this the signal that it was.
            ErrorKind::Interrupted
        } else {
            ErrorKind::Partial
        };
        let message = format!(
            "{count} could not be dropped, the first is '{name}': {}",
            why.message
        );
        Ok(outcome.but(kind, message, why.hint))
    }
}

/// Forgets the last restore, if what was dropped is what undo needs.
fn forget(context: &Context, run: &mut Run, for_undo: bool) -> Result<(), Error> {
    if for_undo {
        run.changed();
        Restore::forget(&context.state)?;
    }
    Ok(())
}

/// Returns the restores that keep files in `root`.
fn asides(root: &Path) -> Result<Vec<Id>, Error> {
    let dir = root.join(RESERVED);
    let Ok(entries) = fs::read_dir(&dir) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::io(&dir))?.file_name();
        found.extend(name.to_str().and_then(|name| name.parse::<Id>().ok()));
    }
    Ok(found)
}

/// Returns the size of all files below `dir`; what cannot be looked at counts nothing.
fn size(dir: &Path) -> u64 {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .filter_map(|entry| entry.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        .sum()
}
