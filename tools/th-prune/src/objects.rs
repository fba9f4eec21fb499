//! What is no set: each image, database, log or record of the build cache is decided by itself,
//! deleted by itself, and told of by itself.

pub(crate) mod lineage;

use th_cli::{Outcome, Run, human_bytes, printable};
use th_record::kind::{Freed, FreedPart, PruneAction, PruneObject};
use th_record::{ErrorKind, Fail, Failure, VERSION};

use crate::Error;
use crate::context::Context;
use crate::free::Room;
use crate::summary;

/// Something that may be deleted, and what its deletion has to know.
#[derive(Debug)]
pub(crate) struct Object<T> {
    pub(crate) item: PruneObject,
    pub(crate) target: T,
}

/// How a deletion ended that did not fail.
#[derive(Debug)]
pub(crate) enum End {
    /// It is gone.
    Deleted,
    /// It is needed after all: why.
    Needed(String),
}

/// Returns an item that goes, until a rule or a need says that it stays.
pub(crate) fn item(what: &str, name: &str) -> PruneObject {
    PruneObject {
        v: VERSION,
        kind: "prune_object".to_owned(),
        what: what.to_owned(),
        name: name.to_owned(),
        action: PruneAction::Delete,
        reasons: Vec::new(),
        kept_by: Vec::new(),
        blocked_by: Vec::new(),
        error: None,
        since_at: None,
        size_bytes: 0,
    }
}

/// Lets a rule keep the item, and says why.
pub(crate) fn keep(item: &mut PruneObject, rule: &str, reason: impl Into<String>) {
    stay(item, reason.into());
    item.kept_by.push(rule.to_owned());
}

/// Keeps the item whatever the rules say, and says why.
pub(crate) fn block(item: &mut PruneObject, need: &str, reason: impl Into<String>) {
    stay(item, reason.into());
    item.blocked_by.push(need.to_owned());
}

fn stay(item: &mut PruneObject, reason: String) {
    if item.action == PruneAction::Delete {
        item.action = PruneAction::Keep;
        // These say why it was to go.
        item.reasons.clear();
    }
    item.reasons.push(reason);
}

/// Prunes one sort of things, by its rules alone: however much room there is.
pub(crate) fn alone(
    context: &Context,
    run: &mut Run,
    prune: impl FnOnce(&mut Run, &mut Room) -> Result<FreedPart, Error>,
) -> Result<Outcome, Error> {
    let _lock = context.lock(run)?;
    let parts = vec![prune(run, &mut Room::endless())?];
    let disks = Vec::new();
    Ok(outcome(run, &Freed { parts, disks }))
}

/// Deletes what is to go, in order, until there is room enough; prints each object, with `--plan`
/// without deleting any. One that cannot be deleted does not keep the others.
///
/// # Errors
/// [`Error::Cancelled`], and that a server is unreachable while nothing is deleted yet.
pub(crate) fn delete<T>(
    run: &mut Run,
    name: &str,
    objects: Vec<Object<T>>,
    room: &mut Room,
    mut delete: impl FnMut(&mut Run, &T) -> Result<End, Error>,
) -> Result<FreedPart, Error> {
    let mut part = FreedPart {
        name: name.to_owned(),
        ..FreedPart::default()
    };
    // Once the server is down, what is left is not waited for, half a minute each.
    let mut down: Option<String> = None;
    for Object { mut item, target } in objects {
        if item.action == PruneAction::Delete && room.is_enough() {
            keep(&mut item, "target_free", "there is room enough");
        }
        if item.action == PruneAction::Delete && !run.output.plan {
            if run.cancelled() {
                return Err(Error::Cancelled);
            }
            let result = match &down {
                Some(message) => Err(message.clone()),
                None => match delete(run, &target) {
                    Ok(end) => Ok(end),
                    Err(error) if error.kind() != ErrorKind::Unreachable => {
                        Err(Failure::of(&error).message)
                    }
                    Err(error) if part.deleted_count == 0 => return Err(error),
                    Err(error) => {
                        let message = Failure::of(&error).message;
                        down = Some(message.clone());
                        Err(message)
                    }
                },
            };
            match result {
                Ok(End::Deleted) => {
                    run.changed();
                    run.done(format!("deleted {} '{}'", item.what, item.name));
                }
                Ok(End::Needed(reason)) => block(&mut item, "in_use", reason),
                Err(message) => item.error = Some(message),
            }
        }
        count(&mut part, room, &item);
        run.item(&item, &line(&item));
    }
    Ok(part)
}

fn count(part: &mut FreedPart, room: &mut Room, item: &PruneObject) {
    match item.action {
        _ if item.error.is_some() => part.failed_count += 1,
        PruneAction::Keep => part.kept_count += 1,
        PruneAction::Delete => {
            part.deleted_count += 1;
            part.deleted_bytes += item.size_bytes;
            room.give(item.size_bytes);
        }
    }
}

fn line(item: &PruneObject) -> String {
    let action = match item.action {
        _ if item.error.is_some() => "failed",
        PruneAction::Keep => "keep",
        PruneAction::Delete => "delete",
    };
    format!(
        "{action:6} {:8} {:>11} {}  {}",
        item.what,
        human_bytes(item.size_bytes),
        printable(&item.name),
        summary::why(&item.error, &item.reasons)
    )
}

/// Returns the record: what was deleted, and whether anything could not be.
pub(crate) fn outcome(run: &Run, freed: &Freed) -> Outcome {
    let outcome = match run.output.plan {
        true => Outcome::plan("freed", freed, totals(freed)),
        false => Outcome::done("freed", freed, totals(freed)),
    };
    match failed(freed) {
        Some(message) => outcome.but(ErrorKind::Partial, message, None),
        None => outcome,
    }
}

/// Says how many could not be deleted, if any.
pub(crate) fn failed(freed: &Freed) -> Option<String> {
    let sum = |of: fn(&FreedPart) -> u64| freed.parts.iter().map(of).sum::<u64>();
    let (deleted, failed) = (sum(|it| it.deleted_count), sum(|it| it.failed_count));
    (failed > 0).then(|| format!("{failed} of {} could not be deleted", deleted + failed))
}

fn totals(freed: &Freed) -> String {
    let mut lines: Vec<String> = freed.parts.iter().map(part).collect();
    lines.extend(freed.disks.iter().map(|disk| {
        format!(
            "{} free in {}, {} before, {} wanted",
            human_bytes(disk.free_bytes),
            printable(&disk.name),
            human_bytes(disk.free_before_bytes),
            human_bytes(disk.target_free_bytes)
        )
    }));
    lines.join("\n")
}

fn part(part: &FreedPart) -> String {
    if let Some(error) = &part.error {
        return format!("{}: {}", part.name, printable(error));
    }
    let freed = part.freed_bytes.map_or(String::new(), |bytes| {
        format!(", {} given back", human_bytes(bytes))
    });
    format!(
        "{}: {} deleted ({}){freed}, {} kept, {} failed",
        part.name,
        part.deleted_count,
        human_bytes(part.deleted_bytes),
        part.kept_count,
        part.failed_count
    )
}
