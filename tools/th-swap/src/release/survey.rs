//! All that a release depends on, as it is before the release begins.

use th_cli::Run;
use th_docker::{Docker, split_name};
use th_record::kind::{Slot, SwapPlan};

use super::Intent;
use super::ahead::Ahead;
use super::asked::Asked;
use crate::compose::{self, Compose};
use crate::context::Context;
use crate::front::Front;
use crate::plan::{self, Observed, Wanted};
use crate::schema::Schema;
use crate::{Error, preflight};

/// What was seen, and what follows from it.
pub(super) struct Survey {
    pub(super) plan: SwapPlan,
    /// The services of the compose file that run in both slots.
    pub(super) services: Vec<String>,
    /// Those that must not.
    pub(super) exclusive: Vec<String>,
    pub(super) front: Option<Front>,
    pub(super) schema: Option<Schema>,
    /// The database's migration head.
    pub(super) head: Option<String>,
}

impl Survey {
    /// Looks at everything, warns of what cannot be seen, and changes nothing.
    ///
    /// # Errors
    /// When Docker or compose cannot tell, or the settings are wrong.
    pub(super) fn make(
        context: &Context,
        run: &mut Run,
        docker: &Docker,
        compose: &Compose,
        intent: &Intent,
        ahead: Ahead,
    ) -> Result<Self, Error> {
        let live = ahead.live;
        let slot = live.map_or(Slot::Blue, Slot::other);
        let Asked {
            config,
            schema,
            findings,
        } = Asked::at_once(context, run.cancel(), compose, slot, intent);
        let images = compose::images(&config?);
        let exclusive = intent.exclusive_in(context, &images)?;
        let front = Front::of(context)?;
        if front.is_none() {
            run.warn("slots.nginx.front is not set: nothing is asked through the web server, so there is no receipt");
        }
        match &findings {
            Ok(findings) => findings.iter().for_each(|finding| run.warn(finding)),
            Err(error) => run.warn(format!("the set-up was not looked over: {error}")),
        }
        let (mut schema, head) = ask(run, schema, intent)?;
        let seen = Observed {
            other_images: preflight::other_images(docker, &intent.images)?,
            ..preflight::observe(
                context,
                run,
                docker,
                schema.as_mut(),
                // Until it is, nginx may serve both.
                front.as_ref().filter(|_| ahead.led),
                live,
                &images,
            )?
        };
        let previous_tag = match (ahead.live_tag, live) {
            (Some(tag), _) => Some(tag),
            (None, Some(live)) => running_tag(context, docker, live)?,
            (None, None) => None,
        };
        let wanted = Wanted {
            tag: &intent.tag,
            slot,
            previous_tag: previous_tag.as_deref(),
            previous_slot: live,
            exclusive: &exclusive,
            shares: &intent.shares,
            hold_seconds: intent.hold.as_secs(),
        };
        let services = images.iter().map(|(service, _)| service);
        Ok(Self {
            plan: plan::release(wanted, &seen),
            services: services
                .filter(|service| !exclusive.contains(service))
                .cloned()
                .collect(),
            exclusive,
            front,
            schema,
            head,
        })
    }
}

/// Asks the database for its head. Who goes back does not have to mend the settings first.
fn ask(
    run: &mut Run,
    schema: Result<Option<Schema>, Error>,
    intent: &Intent,
) -> Result<(Option<Schema>, Option<String>), Error> {
    let error = match schema {
        Ok(None) => return Ok((None, None)),
        Ok(Some(mut schema)) => match schema.head() {
            Ok(head) => return Ok((Some(schema), head)),
            Err(error @ Error::Setting(_)) if !intent.rollback => return Err(error),
            Err(error) => {
                warn(run, &error);
                // The session is of no use then.
                let schema = Some(schema).filter(|_| !matches!(error, Error::NoAnswer(_)));
                return Ok((schema, None));
            }
        },
        Err(error) => error,
    };
    warn(run, &error);
    Ok((None, None))
}

fn warn(run: &mut Run, error: &Error) {
    run.warn(format!(
        "it is not known what the database's migration head is: {error}"
    ));
}

/// Returns the tag that runs in `slot`, for one that was not released with this tool.
fn running_tag(context: &Context, docker: &Docker, slot: Slot) -> Result<Option<String>, Error> {
    let images = super::images(docker, context, slot)?;
    let tag = images.first().and_then(|image| split_name(&image.name).1);
    Ok(tag.map(str::to_owned))
}
