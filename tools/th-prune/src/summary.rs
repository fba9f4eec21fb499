//! What is said to a person instead of the items and the record.

use chrono::TimeDelta;
use th_cli::{Outcome, human_bytes, printable};
use th_record::kind::{PackAction, PrunePack, PruneSet, Pruned, SetAction, Undeleted};
use th_record::{ErrorKind, Level, Status};
use th_store::{Source, Unknown};

use crate::plan::{Plan, Refused, Stale};

/// Tells of one set: a line of a table.
pub(crate) fn set(item: &PruneSet) -> String {
    let action = match item.action {
        _ if item.error.is_some() => "failed",
        SetAction::Keep if item.deleted_at.is_some() => "trash",
        SetAction::Keep => "keep",
        SetAction::Delete => "delete",
        SetAction::Purge => "purge",
    };
    let status = match item.status {
        Some(Status::Complete) => "complete",
        Some(Status::Degraded) => "degraded",
        None => "",
    };
    let line = format!(
        "{action:6} {:22} {status:9} {:8} {}",
        printable(&item.set),
        item.proof.map_or("", Level::name),
        why(&item.error, &item.reasons)
    );
    line.trim_end().to_owned()
}

/// Tells of one pack.
pub(crate) fn pack(item: &PrunePack) -> String {
    let action = match item.action {
        _ if item.error.is_some() => "failed",
        PackAction::Keep => "keep",
        PackAction::Delete => "delete",
        PackAction::Rewrite => "rewrite",
    };
    let short: String = item.pack.chars().take(12).collect();
    format!(
        "{action:7} pack {short}… {:>11} {}",
        human_bytes(item.bytes),
        why(&item.error, &item.reasons)
    )
}

/// Tells why, on one line: what went wrong, and what was decided.
pub(crate) fn why(error: &Option<String>, reasons: &[String]) -> String {
    let why = error.iter().chain(reasons);
    let why: Vec<String> = why.map(|text| printable(text)).collect();
    why.join("; ")
}

/// Tells why no pack goes, and what to do about it.
pub(crate) fn unknown(sets: &[Unknown]) -> String {
    let names: Vec<String> = sets
        .iter()
        .map(|set| format!("'{}'", set.path.display()))
        .collect();
    format!(
        "no pack goes until these can be read, since what they need is not known: {}; mend them \
         from a copy of the store, or move them out of it",
        names.join(", ")
    )
}

/// Tells the totals.
pub(crate) fn pruned(totals: &Pruned) -> String {
    let proven = totals.newest_proven.as_deref().unwrap_or("none");
    let freed = totals.purged_bytes + totals.packs_deleted_bytes + totals.packs_rewritten_bytes;
    format!(
        "{} sets kept, {} deleted, {} unreadable; {} in the trash, {} purged; {} packs deleted, {} \
         rewritten; {} freed; newest restored and compared: {}",
        totals.kept_count,
        totals.deleted_count,
        totals.unreadable_count,
        totals.trash_count,
        totals.purged_count,
        totals.packs_deleted_count,
        totals.packs_rewritten_count,
        human_bytes(freed),
        printable(proven)
    )
}

/// Tells what came back.
pub(crate) fn undeleted(undeleted: &Undeleted) -> String {
    format!("set {} is back", undeleted.set)
}

/// Says why nothing went though some should have, or why some did not.
pub(crate) fn refuse(outcome: Outcome, plan: &Plan, totals: &Pruned) -> Outcome {
    match &plan.refused {
        Some(Refused::Stale(of, stale)) => {
            let hint = "make a good backup first; --stale-after 0 prunes all the same";
            let message = format!("nothing was deleted{}: {}", group(of), self::stale(*stale));
            outcome.but(ErrorKind::Gate, message, Some(hint.into()))
        }
        Some(Refused::TooMany { would, may, of }) => {
            let hint = "look at the plan, with --plan; --max-delete 100% prunes all the same";
            let message = format!("nothing was deleted: {would} of {of} sets would go, {may} may");
            outcome.but(ErrorKind::Gate, message, Some(hint.into()))
        }
        None if totals.failed_count > 0 => {
            let message = format!("{} could not be dealt with", totals.failed_count);
            outcome.but(ErrorKind::Partial, message, None)
        }
        None => outcome,
    }
}

/// Says which sets are meant, if they say it themselves.
fn group(of: &Source) -> String {
    let environment = of.environment.iter().map(|name| format!(" of '{name}'"));
    let database = of.database.iter().map(|name| format!(" database '{name}'"));
    let files = of.has_files.then(|| " files".to_owned());
    let parts: Vec<String> = database.chain(files).collect();
    let parts = match parts.is_empty() {
        true => String::new(),
        false => format!(" with{}", parts.join(" and")),
    };
    environment.chain([parts]).collect()
}

/// Says how old the newest complete set is.
pub(crate) fn stale(stale: Stale) -> String {
    let hours = |time: TimeDelta| format!("{} h", time.num_hours());
    let expected = hours(stale.expected);
    match stale.age {
        Some(age) => format!(
            "the newest complete set is {} old, and {expected} are expected at most",
            hours(age)
        ),
        None => "there is no complete set".to_owned(),
    }
}
