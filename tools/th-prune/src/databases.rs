//! The databases beside the live one that restores and proofs have left, by age.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use th_cli::Run;
use th_postgres::{Beside, Role, Server};
use th_record::kind::{FreedPart, PruneObject};
use th_state::State;
use th_state::restores::{Pending, Restore};

use crate::Error;
use crate::context::Context;
use crate::free::Room;
use crate::objects::{self, End, Object, block, keep};
use crate::policy::either;

/// How long they stay.
const AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The databases that restores still name.
#[derive(Debug, Default)]
struct Needed {
    /// By the restore or undo that died, and that the next th-restore finishes or discards.
    pending: Vec<String>,
    /// By undo.
    undo: Option<String>,
}

/// Prunes databases until there is room enough.
pub(crate) fn part(
    context: &Context,
    run: &mut Run,
    older_than: Option<humantime::Duration>,
    room: &mut Room,
) -> Result<FreedPart, Error> {
    let target = context.env.database.as_ref().ok_or(Error::Usage(
        "no database is given, beside which others could be",
    ))?;
    let word = &context.env.retention.databases_for;
    let older_than = either(older_than, word, "retention.databases_for")?.map_or(AGE, Into::into);
    let needed = Needed::read(&context.state)?;
    if !needed.pending.is_empty() {
        run.warn("a restore has died half way: th-restore finishes it or takes it back");
    }
    let server = Server::connect_to_cluster(target, run.tool, run.cancel())?;
    let mut admin = server.admin()?;
    // What is beside a name that is mistyped would be nothing.
    admin.check_has(server.database())?;
    let mut objects = Vec::new();
    for database in admin.beside(server.database())? {
        let beside = database.beside;
        let mut item = objects::item("database", &database.name);
        item.since_at = Some(beside.id.at());
        item.size_bytes = database.size_bytes;
        decide(&mut item, &beside, older_than, &needed, Utc::now());
        let sessions = admin.sessions(&database.name)?;
        if sessions > 0 {
            block(&mut item, "sessions", format!("{sessions} open sessions"));
        }
        objects.push(Object {
            item,
            target: database.name,
        });
    }
    objects.sort_by_key(|object| object.item.since_at);
    let mut part = objects::delete(run, "databases", objects, room, |_, name| {
        Ok(match admin.drop_unused(name)? {
            None => End::Deleted,
            Some(why) => End::Needed(why),
        })
    })?;
    part.freed_bytes = (!run.output.plan).then_some(part.deleted_bytes);
    Ok(part)
}

fn decide(
    item: &mut PruneObject,
    beside: &Beside,
    older_than: Duration,
    needed: &Needed,
    now: DateTime<Utc>,
) {
    let limit = humantime::format_duration(older_than);
    let is_for_undo = needed.undo.as_ref() == Some(&item.name);
    if needed.pending.contains(&item.name) {
        block(item, "pending", "a restore that died half way needs it");
    }
    if now - beside.id.at() < TimeDelta::from_std(older_than).unwrap_or(TimeDelta::MAX) {
        let reason = match beside.role {
            _ if is_for_undo => format!("younger than {limit}: th-restore undo needs it"),
            Role::Verify => format!("of a set younger than {limit}"),
            Role::Before | Role::Restore | Role::Undone => format!("younger than {limit}"),
        };
        keep(item, "databases_for", reason);
        return;
    }
    let why = match beside.role {
        _ if is_for_undo => "after this th-restore undo cannot take the last restore back",
        Role::Before => "was live before a restore",
        Role::Undone => "was live before an undo",
        Role::Restore => "a restore left it",
        Role::Verify => "a proof left it",
    };
    if item.blocked_by.is_empty() {
        item.reasons.push(format!("older than {limit}"));
        item.reasons.push(why.to_owned());
    }
}

impl Needed {
    fn read(state: &State) -> Result<Self, Error> {
        let undo = Restore::last(state)?.and_then(|it| it.database);
        let pending = Pending::read(state)?;
        let swap = pending.and_then(|it| it.restore.database);
        Ok(Self {
            undo: undo.and_then(|swap| swap.kept),
            pending: swap
                .into_iter()
                .flat_map(|swap| swap.kept.into_iter().chain([swap.next]))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use th_record::kind::PruneAction;

    const NAME: &str = "app_before_20261123T020000Z-7f3a";

    fn decided(needed: &Needed, days: u64) -> PruneObject {
        let mut item = objects::item("database", NAME);
        let beside = Beside::of(NAME, "app").unwrap();
        let now = "2026-11-30T02:00:00Z".parse().unwrap();
        let older_than = Duration::from_secs(days * 24 * 3600);
        decide(&mut item, &beside, older_than, needed, now);
        item
    }

    #[test]
    fn the_age_decides_and_undo_is_told_of() {
        let undo = Needed {
            undo: Some(NAME.to_owned()),
            ..Needed::default()
        };
        let kept = decided(&undo, 8);
        assert_eq!(kept.action, PruneAction::Keep);
        assert!(kept.reasons[0].contains("undo"), "{kept:?}");
        let gone = decided(&undo, 7);
        assert_eq!(gone.action, PruneAction::Delete);
        assert!(gone.reasons[1].contains("undo"), "{gone:?}");
    }

    #[test]
    fn what_a_pending_restore_needs_stays_at_any_age() {
        let pending = Needed {
            pending: vec![NAME.to_owned()],
            ..Needed::default()
        };
        assert_eq!(decided(&pending, 0).action, PruneAction::Keep);
        assert_eq!(decided(&Needed::default(), 0).action, PruneAction::Delete);
    }
}
