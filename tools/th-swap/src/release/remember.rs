//! Remembering that a release has the traffic.

use chrono::Utc;
use th_docker::Docker;
use th_record::kind::{ReleaseState, Swapped};

use super::images;
use crate::Error;
use crate::context::Context;
use crate::pending::Pending;
use crate::releases::{Release, Releases};

/// Notes that the release of `pending` has the traffic, with what `report` tells of it. Noted once,
/// it is not noted again.
pub(crate) fn remember(
    context: &Context,
    docker: &Docker,
    pending: &Pending,
    report: &Swapped,
) -> Result<(), Error> {
    let mut releases = Releases::read(&context.state)?;
    let (run, tag, slot) = (&pending.run, &pending.tag, pending.slot);
    if releases
        .live()
        .is_some_and(|live| live.is_of(run, tag, slot))
    {
        return Ok(());
    }
    if let (None, Some(tag), Some(slot)) = (
        releases.live(),
        &pending.previous_tag,
        pending.previous_slot,
    ) {
        // What had the traffic before the first release that was made with this tool.
        let found = Release {
            tag: tag.clone(),
            slot,
            state: ReleaseState::Live,
            deployed_at: Utc::now(),
            run: String::new(),
            images: images(docker, context, slot)?,
            heads: Vec::new(),
            pre_release_set: None,
            exclusive: Vec::new(),
        };
        releases.add(found, ReleaseState::Retired);
    }
    let head = report.head.as_deref();
    releases.see(head);
    let outcome = if pending.rollback {
        ReleaseState::Withdrawn
    } else {
        ReleaseState::Retired
    };
    let before = releases.with_tag(&pending.tag);
    let release = Release {
        tag: pending.tag.clone(),
        slot: pending.slot,
        state: ReleaseState::Live,
        deployed_at: Utc::now(),
        run: pending.run.clone(),
        images: images(docker, context, pending.slot)?,
        heads: before.map_or(Vec::new(), |before| before.heads.clone()),
        pre_release_set: report.pre_release_set.clone(),
        exclusive: pending.exclusive.clone(),
    };
    releases.add(release, outcome);
    releases.see(head);
    Ok(releases.write(&context.state)?)
}
