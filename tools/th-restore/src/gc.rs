//! Dropping what restores have kept.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use th_archive::RESERVED;
use th_cli::{Outcome, Run};
use th_postgres::{Beside, Role};
use th_record::Id;
use th_record::kind::{Gc, Removed};

use crate::context::Context;
use crate::moves::Aside;
use crate::{Error, summary};

/// Drops kept databases and files whose restore is older than `older_than`.
pub(crate) fn gc(context: &Context, run: &mut Run, older_than: Duration) -> Result<Outcome, Error> {
    let server = context.server(run)?;
    let plan = run.output.plan;
    let _lock = context.lock(run, server.as_ref())?;
    let limit = Utc::now() - older_than;
    let mut gc = Gc {
        removed: Vec::new(),
        kept: 0,
    };
    let mut sort = |what: &str, name: String, since_at, bytes| {
        let old = since_at <= limit;
        if old {
            gc.removed.push(Removed {
                what: what.to_owned(),
                name,
                since_at,
                bytes,
            });
        } else {
            gc.kept += 1;
        }
        old && !plan
    };
    if let Some(server) = &server {
        let mut admin = server.admin()?;
        for database in admin.databases()? {
            if let Some(beside) = Beside::of(&database.name, server.database())
                && matches!(beside.role, Role::Before | Role::Undone)
                && sort(
                    "database",
                    database.name.clone(),
                    beside.id.at(),
                    database.size_bytes,
                )
            {
                admin.drop(&database.name)?;
                run.done(format!("dropped database '{}'", database.name));
            }
        }
    }
    let files = &context.env.files;
    for root in files.uploads.iter().chain([&files.root]) {
        for id in asides(root)? {
            let aside = Aside::new(root, &id);
            let bytes = size(&aside.dir());
            if sort(
                "files",
                aside.dir().to_string_lossy().into_owned(),
                id.at(),
                bytes,
            ) {
                aside.discard()?;
                run.done(format!("dropped '{}'", aside.dir().display()));
            }
        }
    }
    let summary = summary::gc(&gc);
    Ok(match (plan, gc.removed.is_empty()) {
        (true, _) => Outcome::plan("gc", &gc, summary),
        (false, true) => Outcome::done("gc", &gc, summary),
        (false, false) => Outcome::done("gc", &gc, summary).changed(),
    })
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
