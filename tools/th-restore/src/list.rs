//! The commands that only look.

use th_cli::{Outcome, Run, human_bytes, printable};
use th_record::kind::{SetItem, SetState, Sets, Shown};
use th_record::{Level, Status, VERSION};
use th_store::{Listed, SetRef, Unreadable};

use crate::args::SetArgs;
use crate::context::Context;
use crate::{Error, summary};

/// Lists the sets, newest first: an item each, then the totals.
pub(crate) fn list(context: &Context, run: &mut Run) -> Result<Outcome, Error> {
    let store = context.store()?;
    let sets = store.sets()?;
    for set in &sets {
        let item = item(set);
        run.item(&item, &line(&item));
    }
    let readable = || sets.iter().filter_map(Listed::set);
    let totals = Sets {
        store: store.path().to_string_lossy().into_owned(),
        count: sets.len() as u64,
        unreadable_count: (sets.len() - readable().count()) as u64,
        newest: readable().next().map(|set| set.id.clone()),
        newest_proven: readable()
            .find(|set| set.is_proven())
            .map(|set| set.id.clone()),
        stored_bytes: store.stored_bytes()?,
    };
    Ok(Outcome::done("sets", &totals, summary::sets(&totals)))
}

/// Shows one set, whole.
pub(crate) fn show(context: &Context, run: &mut Run, set: &SetArgs) -> Result<Outcome, Error> {
    let manifest = context.manifest(set, run)?;
    let store = context.store()?;
    let proof = match store.proof(&manifest.id) {
        Err(error @ (th_store::Error::Proof { .. } | th_store::Error::Pack { .. })) => {
            run.warn(error.to_string());
            None
        }
        other => other?,
    };
    let path = store.set_dir(&manifest.id).to_string_lossy().into_owned();
    let shown = Shown {
        path,
        manifest,
        proof,
    };
    Ok(Outcome::done("shown", &shown, summary::shown(&shown)))
}

fn item(listed: &Listed) -> SetItem {
    match listed {
        Listed::Set(set) => readable(set),
        Listed::Unreadable(unreadable) => damaged(unreadable),
    }
}

fn readable(set: &SetRef) -> SetItem {
    SetItem {
        v: VERSION,
        kind: "set".to_owned(),
        id: set.id.to_string(),
        started_at: Some(set.started_at),
        state: SetState::Readable,
        reason: set.void.clone(),
        environment: set.environment.clone(),
        status: Some(set.status),
        proof: set.level(),
        pinned: set.pinned,
        tags: set.tags.clone(),
        database: set.database.clone(),
        rows: set.rows,
        files: set.files,
        stored_bytes: Some(set.stored_bytes),
    }
}

fn damaged(unreadable: &Unreadable) -> SetItem {
    SetItem {
        v: VERSION,
        kind: "set".to_owned(),
        id: unreadable.name.clone(),
        started_at: unreadable.started_at,
        state: if unreadable.newer {
            SetState::Newer
        } else {
            SetState::Unreadable
        },
        reason: Some(unreadable.reason.clone()),
        environment: None,
        status: None,
        proof: None,
        pinned: false,
        tags: Vec::new(),
        database: None,
        rows: None,
        files: None,
        stored_bytes: None,
    }
}

fn line(item: &SetItem) -> String {
    let id = printable(&item.id);
    if item.state != SetState::Readable {
        return format!(
            "{id:22} {}",
            printable(item.reason.as_deref().unwrap_or("unreadable"))
        );
    }
    let status = match item.status {
        Some(Status::Degraded) => "degraded",
        _ => "complete",
    };
    format!(
        "{id:22} {status:9} {:8} {:>9} rows {:>7} files {:>11}{}",
        item.proof.map_or("unproven", Level::name),
        item.rows.unwrap_or(0),
        item.files.unwrap_or(0),
        human_bytes(item.stored_bytes.unwrap_or(0)),
        if item.pinned { "  pinned" } else { "" }
    )
}
