//! The releases there were.

use th_cli::{Outcome, Run, printable};
use th_record::VERSION;
use th_record::kind::{self, ReleaseItem, ReleaseState};

use crate::context::Context;
use crate::pending::Pending;
use crate::releases::{Release, Releases};
use crate::{Error, summary, watch};

/// Lists the releases, newest first: an item each, then the totals.
pub(crate) fn history(context: &Context, run: &mut Run) -> Result<Outcome, Error> {
    let releases = Releases::read(&context.state)?;
    let mut count = 0;
    for release in releases.newest_first() {
        run.item(&item(release), &line(release));
        count += 1;
    }
    let totals = kind::Releases {
        count,
        live: releases.live().map(|live| live.tag.clone()),
        rollback_to: rollback_to(context, &releases)?,
    };
    Ok(Outcome::done(
        "releases",
        &totals,
        summary::releases(&totals),
    ))
}

/// Returns where a rollback would go now: while a release goes on, to the one that it takes over from.
fn rollback_to(context: &Context, releases: &Releases) -> Result<Option<String>, Error> {
    Ok(match Pending::read(&context.state)? {
        Some(pending) if !pending.rollback || watch::is_marked(&context.state)? => {
            pending.previous_tag
        }
        _ => releases.before().map(|before| before.tag.clone()),
    })
}

fn item(release: &Release) -> ReleaseItem {
    ReleaseItem {
        v: VERSION,
        kind: "release".to_owned(),
        tag: release.tag.clone(),
        slot: release.slot,
        state: release.state,
        deployed_at: release.deployed_at,
        run: release.run.clone(),
        images: release.images.clone(),
        heads: release.heads.clone(),
        pre_release_set: release.pre_release_set.clone(),
    }
}

fn line(release: &Release) -> String {
    let state = match release.state {
        ReleaseState::Live => "live",
        ReleaseState::Retired => "retired",
        ReleaseState::Withdrawn => "withdrawn",
    };
    let heads = release.heads.join(", ");
    format!(
        "{}  {:9} {:5} {:20} {}",
        release.deployed_at.format("%Y-%m-%d %H:%M:%SZ"),
        state,
        release.slot.name(),
        printable(&release.tag),
        printable(&heads)
    )
}
