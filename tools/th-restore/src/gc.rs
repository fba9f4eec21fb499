//! Dropping what restores have kept.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use th_archive::RESERVED;
use th_cli::{Outcome, Run};
use th_record::Id;
use th_record::kind::{Gc, Removed};

use crate::context::Context;
use crate::moves::Aside;
use crate::{Error, summary};

/// The roles under which databases are kept.
const KEPT: [&str; 2] = ["before", "undone"];

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
            if let Some(at) = kept_since(&database.name, server.database())
                && sort("database", database.name.clone(), at, database.size_bytes)
            {
                admin.drop(&database.name)?;
                run.done(format!("dropped database '{}'", database.name));
            }
        }
    }
    let files = &context.env.files;
    for root in files.uploads.iter().chain([&files.root]) {
        for (id, at) in asides(root)? {
            let aside = Aside::new(root, &id);
            let bytes = size(&aside.dir());
            if sort(
                "files",
                aside.dir().to_string_lossy().into_owned(),
                at,
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

/// Returns since when the database called `name` is kept, if it is one that restores of `live` kept.
fn kept_since(name: &str, live: &str) -> Option<DateTime<Utc>> {
    let rest = name.strip_prefix(live)?.strip_prefix('_')?;
    let id = KEPT
        .iter()
        .find_map(|role| rest.strip_prefix(role)?.strip_prefix('_'))?;
    time_of(&id.parse().ok()?)
}

fn time_of(id: &Id) -> Option<DateTime<Utc>> {
    let (second, _) = id.as_str().split_once('-')?;
    Some(
        NaiveDateTime::parse_from_str(second, "%Y%m%dT%H%M%SZ")
            .ok()?
            .and_utc(),
    )
}

/// Returns the restores that keep files in `root`.
fn asides(root: &Path) -> Result<Vec<(Id, DateTime<Utc>)>, Error> {
    let dir = root.join(RESERVED);
    let Ok(entries) = fs::read_dir(&dir) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::io(&dir))?.file_name();
        if let Some(id) = name.to_str().and_then(|name| name.parse::<Id>().ok())
            && let Some(at) = time_of(&id)
        {
            found.push((id, at));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_restores_of_this_database_kept_is_recognised() {
        let since = |name: &str| kept_since(name, "app").is_some();
        assert!(since("app_before_20261123T020000Z-7f3a"));
        assert!(since("app_undone_20261123T020000Z-7f3a"));
        assert!(!since("app_restore_20261123T020000Z-7f3a"));
        assert!(!since("app2_before_20261123T020000Z-7f3a"));
        assert!(!since("app_before_the_move"));
        assert!(!since("app"));
    }
}
