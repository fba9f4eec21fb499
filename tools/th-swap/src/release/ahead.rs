//! What a release will find once what went before it is ended, seen before anything is.

use th_cli::Run;
use th_config::Mode;
use th_docker::Docker;
use th_record::kind::{Slot, SwapStep};

use super::Intent;
use super::begin::check_services;
use crate::compose::{self, Compose};
use crate::context::Context;
use crate::front::Front;
use crate::pending::{Pending, Phase};
use crate::plan::{self, Observed, Wanted};
use crate::recover::{self, Recovered};
use crate::releases::Releases;
use crate::{Error, preflight, resume, traffic, watch};

/// Who will have the traffic.
pub(super) struct Ahead {
    /// What is to be done about the swap before, if there is anything.
    pub(super) first: Option<SwapStep>,
    /// The slot that has the traffic then.
    pub(super) live: Option<Slot>,
    /// Its release, if it is remembered.
    pub(super) live_tag: Option<String>,
    /// Whether it has all of the traffic now, too.
    pub(super) led: bool,
}

impl Ahead {
    /// Looks at what is on disk, and changes nothing.
    pub(super) fn look(context: &Context) -> Result<Self, Error> {
        let now = traffic::live(context)?;
        let Some(pending) = Pending::read(&context.state)? else {
            let releases = Releases::read(&context.state)?;
            let remembered = releases.live();
            // Only lanes can lead to both slots, or some of them nowhere.
            let lanes = now.is_none() && context.slots.mode == Mode::Lanes;
            let mended = remembered.filter(|_| lanes).map(|release| release.slot);
            return Ok(Self {
                first: mended.map(|slot| SwapStep {
                    action: "mend".to_owned(),
                    object: format!("the lanes, to {slot}"),
                }),
                live: now.or(remembered.map(|release| release.slot)),
                live_tag: remembered.map(|release| release.tag.clone()),
                led: now.is_some() || remembered.is_none(),
            });
        };
        let recovered = recover::outlook(context, &pending);
        let first = Some(resume::step(recovered, &pending));
        let (live, live_tag) = match recovered {
            Recovered::Finished => (Some(pending.slot), Some(pending.tag)),
            _ => (pending.previous_slot, pending.previous_tag),
        };
        Ok(Self {
            first,
            live,
            live_tag,
            led: live == now,
        })
    }
}

/// While a process watches over a hold, checks all that can be told with both slots running: what
/// cannot begin must not end the hold, and with it the way back.
///
/// # Errors
/// The reason not to begin; nothing is changed.
pub(crate) fn check(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
    intent: &Intent,
) -> Result<(), Error> {
    let Some(pending) = Pending::read(&context.state)?
        .filter(|pending| pending.phase == Phase::Holding)
        .filter(|pending| !recover::is_back(context, pending))
    else {
        return Ok(());
    };
    if !watch::is_marked(&context.state)? {
        return Ok(());
    }
    let (live, slot) = (Some(pending.slot), pending.slot.other());
    let config = compose.until(run.cancel()).config(slot, &intent.tag)?;
    let images = compose::images(&config);
    check_services(context, &images, &intent.exclusive)?;
    let front = Front::of(context)?;
    let seen = preflight::observe(context, run, docker, None, front.as_ref(), live, &images)?;
    // The slot that is warm is stopped first, and makes room.
    let warm = preflight::memory_of(docker, &context.project(slot))?;
    let seen = Observed {
        idle_runs: false,
        free_memory: seen.free_memory.map(|free| free + warm.unwrap_or(0)),
        other_images: preflight::other_images(docker, &intent.images)?,
        ..seen
    };
    let wanted = Wanted {
        tag: &intent.tag,
        slot,
        previous_tag: Some(&pending.tag),
        previous_slot: live,
        exclusive: &intent.exclusive,
        shares: &intent.shares,
        hold_seconds: intent.hold.as_secs(),
    };
    plan::refusal(&plan::release(wanted, &seen)).map_or(Ok(()), Err)
}
