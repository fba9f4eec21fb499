//! The app's images: those of old releases go, unless something may still need them.

mod held;
mod plan;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use th_cli::Run;
use th_docker::Docker;
use th_record::kind::FreedPart;

use crate::Error;
use crate::context::Context;
use crate::free::Room;
use crate::objects::{self, End};
use crate::policy::either;

use held::Held;
use plan::{Observed, Rules, Target};

/// How many releases keep their images.
const RELEASES: usize = 3;

/// An image younger than this may be on its way to its first container.
const MIN_AGE: Duration = Duration::from_secs(3600);

/// Which images stay.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ImagesArgs {
    /// Keep the images of so many releases [default: 3]
    #[arg(long, value_name = "N")]
    keep_releases: Option<usize>,
    /// Keep what is younger than this [default: 1h]
    #[arg(long, value_name = "DURATION")]
    min_age: Option<humantime::Duration>,
}

/// Prunes images until there is room enough.
pub(crate) fn part(
    context: &Context,
    run: &mut Run,
    args: &ImagesArgs,
    room: &mut Room,
) -> Result<FreedPart, Error> {
    let app = context.env.app.as_deref().ok_or(Error::Usage(
        "only the images of an app are pruned, and th.toml names none",
    ))?;
    let keys = &context.env.retention;
    let rules = Rules {
        releases: either(
            args.keep_releases,
            &keys.keep_releases,
            "retention.keep_releases",
        )?
        .unwrap_or(RELEASES),
        min_age: args.min_age.map_or(MIN_AGE, Into::into),
    };
    let held = Held::read(&context.env, rules.releases)?;
    let docker = Docker::connect()?;
    // In this order: an image is there before its container.
    let images = docker.images()?;
    let observed = Observed {
        app,
        images: &images,
        used: &used(&docker)?,
        held: &held,
        now: Utc::now(),
    };
    let objects = plan::plan(&observed, &rules);
    let before = match run.output.plan || plan::deletes_none(&objects) {
        true => None,
        false => Some(docker.usage()?.layers_bytes),
    };
    let mut part = objects::delete(run, "images", objects, room, |run, it| {
        remove(&docker, run, it)
    })?;
    if let Some(before) = before {
        match docker.usage() {
            Ok(usage) => part.freed_bytes = Some(before.saturating_sub(usage.layers_bytes)),
            Err(error) => run.warn(format!("how much that gave back is not known: {error}")),
        }
    }
    Ok(part)
}

/// Returns the names of the containers of each image, running or not.
fn used(docker: &Docker) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for container in docker.containers()? {
        used.entry(container.image_id)
            .or_default()
            .push(container.name);
    }
    Ok(used)
}

/// Removes an image that may have more than one name.
fn remove(docker: &Docker, run: &mut Run, target: &Target) -> Result<End, Error> {
    if let Some((_, others @ [_, ..])) = target.names.split_last() {
        // The engine looks for containers only when the last name goes.
        if let Some(names) = used(docker)?.get(&target.id) {
            return Ok(End::Needed(plan::used_by(names)));
        }
        for name in others {
            // A build may have taken the name for a newer image.
            if docker.image_id(name)?.as_ref() == Some(&target.id) {
                docker.remove_image(name)?;
                run.changed();
            }
        }
    }
    // By its id: what else has got the last name meanwhile stays.
    match docker.remove_image(&target.id) {
        // A container or an image that came since.
        Err(th_docker::Error::Refused {
            status: 409,
            message,
            ..
        }) => Ok(End::Needed(message)),
        result => Ok(result.map(|()| End::Deleted)?),
    }
}
