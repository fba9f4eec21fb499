//! What is said to a person instead of the record.

use th_cli::{human_bytes, printable};
use th_record::Level;
use th_record::kind::{Applied, FileChanges, Gc, RestorePlan, Sets, Shown, Undone, Verified};

/// Tells of the sets that were listed.
pub(crate) fn sets(sets: &Sets) -> String {
    let proven = sets
        .newest_proven
        .as_ref()
        .map_or("none".to_owned(), ToString::to_string);
    format!(
        "{} sets, {} unreadable, {} in all; newest restored and compared: {proven}",
        sets.count,
        sets.unreadable_count,
        human_bytes(sets.stored_bytes)
    )
}

/// Shows a set, as JSON that a person can read.
pub(crate) fn shown(shown: &Shown) -> String {
    serde_json::to_string_pretty(shown).unwrap_or_default()
}

/// Tells how far a set was proven.
pub(crate) fn verified(verified: &Verified) -> String {
    let reached = verified.reached.map_or("nothing", Level::name);
    let mut lines = vec![format!("set {} is proven to: {reached}", verified.set)];
    for it in &verified.differences {
        let or_none = |text: &Option<String>| printable(text.as_deref().unwrap_or("missing"));
        lines.push(format!("  {} {}", it.what, printable(&it.name)));
        lines.push(format!("    expected {}", or_none(&it.expected)));
        lines.push(format!("    found    {}", or_none(&it.found)));
    }
    lines.join("\n")
}

/// Tells what is live.
pub(crate) fn applied(applied: &Applied) -> String {
    let head = format!("set {} of {} is live", applied.set, applied.snapshot_at);
    restored(head, applied)
}

/// Tells what was restored into `into`, beside what is live.
pub(crate) fn restored_beside(applied: &Applied, into: &str) -> String {
    let head = format!(
        "set {} of {} is restored into '{}', and what is live is as it was",
        applied.set,
        applied.snapshot_at,
        printable(into)
    );
    restored(head, applied)
}

fn restored(head: String, applied: &Applied) -> String {
    let mut lines = vec![head];
    if let Some(database) = &applied.database {
        let rows = database.rows.unwrap_or(0);
        lines.push(format!(
            "  database  {}: {rows} rows",
            printable(&database.live)
        ));
        if let Some(kept) = &database.kept {
            lines.push(format!("  kept      {}", printable(kept)));
        }
    }
    lines.extend(applied.files.iter().map(|it| files("files", it)));
    lines.extend(applied.config.iter().map(|it| files("config", it)));
    if applied.undoable {
        lines.push("  th-restore undo takes it back".to_owned());
    }
    lines.join("\n")
}

fn files(what: &str, changes: &FileChanges) -> String {
    format!(
        "  {what:9} {} added, {} replaced, {} removed, {} unchanged in {}",
        changes.added,
        changes.replaced,
        changes.removed,
        changes.unchanged,
        printable(&changes.root)
    )
}

/// Tells what was taken back.
pub(crate) fn undone(undone: &Undone) -> String {
    let mut lines = vec![format!("the restore of set {} is taken back", undone.set)];
    if let Some(database) = &undone.database {
        lines.push(format!("  database  {}", printable(&database.live)));
    }
    lines.push(format!("  files     {} moved back", undone.files_moved));
    lines.join("\n")
}

/// Tells what was dropped.
pub(crate) fn gc(gc: &Gc) -> String {
    let bytes = gc.removed.iter().map(|removed| removed.bytes).sum();
    format!(
        "{} dropped ({}), {} kept",
        gc.removed.len(),
        human_bytes(bytes),
        gc.kept
    )
}

/// Tells of a plan.
pub(crate) fn plan(plan: &RestorePlan) -> String {
    let mut lines = vec![format!(
        "with set {} of {}, would:",
        plan.set, plan.snapshot_at
    )];
    let steps = plan.steps.iter();
    lines.extend(steps.map(|step| format!("  {} {}", step.action, printable(&step.object))));
    for space in &plan.space {
        let free = space.free_bytes.map_or("unknown".to_owned(), human_bytes);
        let needed = human_bytes(space.needed_bytes);
        lines.push(format!(
            "  space: {needed} needed, {free} free in {}",
            printable(&space.path)
        ));
    }
    if plan.sessions > 0 {
        lines.push(format!(
            "  sessions that would be closed: {}",
            plan.sessions
        ));
    }
    lines.join("\n")
}
