//! Old logs: regular files below the root that th.toml names, and none that is written to.

mod find;
mod series;
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use th_archive::{EntryPath, Tree};
use th_cli::Run;
use th_config::Environment;
use th_record::kind::FreedPart;

use crate::Error;
use crate::context::Context;
use crate::free::Room;
use crate::objects::{self, End, Object, block, keep};
use crate::policy::either;

/// How long they stay.
const AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Rotated journals are logs; what else is in the state is not.
const ROTATED: &str = "journal.jsonl.";

/// A file that is a log, as it was found.
#[derive(Debug, Clone)]
struct Log {
    path: PathBuf,
    /// The same, below the root.
    below: EntryPath,
    /// The device and the inode.
    id: (u64, u64),
    modified_at: SystemTime,
    /// What it takes on disk.
    size_bytes: u64,
}

/// What a root holds that is no log, whatever th.toml says.
#[derive(Debug, Default)]
struct Others {
    trees: Vec<PathBuf>,
    state: PathBuf,
    files: Vec<PathBuf>,
}

/// Prunes logs until there is room enough.
pub(crate) fn part(
    context: &Context,
    run: &mut Run,
    older_than: Option<humantime::Duration>,
    room: &mut Room,
) -> Result<FreedPart, Error> {
    let env = &context.env;
    let word = &context.env.retention.logs_for;
    let older_than = either(older_than, word, "retention.logs_for")?.map_or(AGE, Into::into);
    if env.retention.logs.is_empty() {
        return Err(th_config::Error::Missing {
            what: "log",
            hint: "name the logs: [env.NAME.retention] logs = [\"logs/*.log.*\"] in th.toml",
        }
        .into());
    }
    let root = fs::canonicalize(&env.files.root).map_err(Error::io(&env.files.root))?;
    let logs = find::find(run, &root, &env.retention.logs)?;
    let objects = decide(logs, &Others::of(env, &root), older_than, SystemTime::now());
    let tree = Tree::open(&root).map_err(Error::io(&root))?;
    let mut part = objects::delete(run, "logs", objects, room, |_, log| remove(&tree, log))?;
    part.freed_bytes = (!run.output.plan).then_some(part.deleted_bytes);
    Ok(part)
}

fn decide(
    logs: Vec<Log>,
    others: &Others,
    older_than: Duration,
    now: SystemTime,
) -> Vec<Object<Log>> {
    let limit = humantime::format_duration(older_than);
    let newest = newest(&logs);
    let written = written::of(logs.iter().map(|log| log.id).collect());
    let object = |log: Log| {
        let mut item = objects::item("log", &log.path.to_string_lossy());
        item.since_at = Some(log.modified_at.into());
        item.size_bytes = log.size_bytes;
        item.reasons.push(format!("not written to for {limit}"));
        if others.hold(&log.path) {
            block(
                &mut item,
                "no_log",
                "it is of the app, of another environment or of these tools, and no log",
            );
        }
        if written.contains(&log.id) {
            block(&mut item, "open", "a process has it open for writing");
        }
        if newest.get(&series::of(&log.path)) == Some(&log.path) {
            block(&mut item, "newest", "it is the newest of its kind");
        }
        // A time in the future is young.
        let age = now.duration_since(log.modified_at).unwrap_or_default();
        if age < older_than || log.modified_at > now {
            keep(&mut item, "logs_for", format!("written to within {limit}"));
        }
        Object { item, target: log }
    };
    let mut objects: Vec<Object<Log>> = logs.into_iter().map(object).collect();
    objects.sort_by_key(|object| object.item.since_at);
    objects
}

/// Returns the newest file of each series: it may be the one that is written to.
fn newest(logs: &[Log]) -> BTreeMap<PathBuf, PathBuf> {
    let mut newest: BTreeMap<PathBuf, &Log> = BTreeMap::new();
    for log in logs {
        let first = newest.entry(series::of(&log.path)).or_insert(log);
        if (log.modified_at, &first.path) > (first.modified_at, &log.path) {
            *first = log;
        }
    }
    let path = |(series, log): (PathBuf, &Log)| (series, log.path.clone());
    newest.into_iter().map(path).collect()
}

/// Removes a log, if it still is the file that was looked at: a rotation renames files.
fn remove(tree: &Tree, log: &Log) -> Result<End, Error> {
    match find::look(&log.path) {
        Ok(Some(now)) if (now.id, now.modified_at) == (log.id, log.modified_at) => {}
        Ok(_) => {
            return Ok(End::Needed(
                "it was written to or replaced just now".to_owned(),
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(End::Needed("it is gone already".to_owned()));
        }
        Err(error) => return Err(Error::io(&log.path)(error)),
    }
    // By way of the root's descriptor, which follows no link.
    tree.remove_file(&log.below).map_err(Error::io(&log.path))?;
    Ok(End::Deleted)
}

impl Others {
    fn of(env: &Environment, root: &Path) -> Self {
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let files = env.files.config.iter().map(|file| root.join(file));
        // An environment's state is in its root.
        let roots = (env.neighbours.iter()).filter_map(|(_, state)| Some(real(state.parent()?)));
        let below = roots.filter(|it| it != root && it.starts_with(root));
        let own = env.files.uploads.iter().chain([&env.backup.store]);
        Self {
            trees: own.map(|it| real(it)).chain(below).collect(),
            state: real(&env.state),
            files: files.collect(),
        }
    }

    /// Tells whether the file is something else than a log.
    fn hold(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let reserved = path.iter().any(|it| it == th_archive::RESERVED);
        let state = path.starts_with(&self.state) && !name.starts_with(ROTATED);
        reserved
            || state
            || name.starts_with(".env")
            || self.files.iter().any(|it| it == path)
            || self.trees.iter().any(|it| path.starts_with(it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rotated_journals_of_the_state_are_logs() {
        let others = Others {
            trees: vec!["/r/data".into()],
            state: "/r/state".into(),
            files: vec!["/r/app.log".into()],
        };
        for (path, held) in [
            ("/r/logs/a.log", false),
            ("/r/state/journal.jsonl.1", false),
            ("/r/state/journal.jsonl", true),
            ("/r/state/lock", true),
            ("/r/data/x/a.log", true),
            ("/r/database.log", false),
            ("/r/app.log", true),
            ("/r/.env.production.log", true),
            ("/r/.th-restore/x/a.log", true),
        ] {
            assert_eq!(others.hold(Path::new(path)), held, "{path}");
        }
    }
}
