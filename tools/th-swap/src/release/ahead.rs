//! What a release will find once what went before it is ended, seen before anything is.

use th_cli::Run;
use th_config::Mode;
use th_docker::Docker;
use th_record::kind::{Slot, SwapStep};

use super::Intent;
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

/// While a process watches over a hold, or a canary is paused, checks all that can be told with both
/// slots running: what cannot begin must not end it, and with it the way back or what was learnt.
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
    let Some((live, live_tag)) = kept(context)? else {
        return Ok(());
    };
    let slot = live.other();
    let config = compose.until(run.cancel()).config(slot, &intent.tag)?;
    let images = compose::images(&config);
    let exclusive = intent.exclusive_in(context, &images)?;
    // While a canary is paused, nginx serves both.
    let front =
        Front::of(context)?.filter(|_| traffic::live(context).is_ok_and(|it| it == Some(live)));
    let live = Some(live);
    let seen = preflight::observe(context, run, docker, None, front.as_ref(), live, &images)?;
    // The other slot is stopped first, and makes room.
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
        previous_tag: live_tag.as_deref(),
        previous_slot: live,
        exclusive: &exclusive,
        shares: &intent.shares,
        hold_seconds: intent.hold.as_secs(),
    };
    plan::refusal(&plan::release(wanted, &seen)).map_or(Ok(()), Err)
}

/// Returns the slot that keeps the traffic when what is kept beside it ends, and its release; `None`
/// when nothing is kept.
fn kept(context: &Context) -> Result<Option<(Slot, Option<String>)>, Error> {
    let Some(pending) = Pending::read(&context.state)? else {
        return Ok(None);
    };
    Ok(match pending.phase {
        Phase::Paused => pending
            .previous_slot
            .map(|slot| (slot, pending.previous_tag)),
        Phase::Holding
            if !recover::is_back(context, &pending) && watch::is_marked(&context.state)? =>
        {
            Some((pending.slot, Some(pending.tag)))
        }
        _ => None,
    })
}
