//! Room on the disk: images, databases, logs and builds go, in this order, until there is enough.

mod room;
mod target;

use th_cli::{Outcome, Run, human_bytes};
use th_config::Environment;
use th_docker::Docker;
use th_record::kind::{Freed, FreedPart};
use th_record::{ErrorKind, Fail, Failure};

use crate::context::Context;
use crate::images::ImagesArgs;
use crate::{Error, builds, databases, images, logs, objects};

use room::Place;
pub(crate) use room::Room;
pub(crate) use target::TargetFree;

/// One sort of things, and the disk on which it may give room.
struct Part {
    name: &'static str,
    place: Option<Place>,
    /// Whether the environment has any.
    is_had: fn(&Environment) -> bool,
    prune: fn(&Context, &mut Run, &mut Room) -> Result<FreedPart, Error>,
}

/// In the order in which they go. The server's data may be on either disk.
const PARTS: [Part; 4] = [
    Part {
        name: "images",
        place: Some(Place::Docker),
        is_had: |env| env.app.is_some(),
        prune: |context, run, room| images::part(context, run, &ImagesArgs::default(), room),
    },
    Part {
        name: "databases",
        place: None,
        is_had: |env| env.database.is_some(),
        prune: |context, run, room| databases::part(context, run, None, room),
    },
    Part {
        name: "logs",
        place: Some(Place::Root),
        is_had: |env| !env.retention.logs.is_empty(),
        prune: |context, run, room| logs::part(context, run, None, room),
    },
    Part {
        name: "builds",
        place: Some(Place::Docker),
        is_had: |_| true,
        prune: |context, run, room| builds::part(context, run, None, room),
    },
];

/// Prunes by the rules of each sort, until the root's disk and Docker's have `target` free. What no
/// rule lets go stays, whether there is room or not.
pub(crate) fn free(
    context: &Context,
    run: &mut Run,
    target: Option<TargetFree>,
) -> Result<Outcome, Error> {
    let target = target.ok_or(Error::Usage("give a command, or --target-free"))?;
    let _lock = context.lock(run)?;
    let mut places = vec![(Place::Root, context.env.files.root.clone())];
    match Docker::connect().and_then(|docker| docker.data_root()) {
        Ok(path) => places.push((Place::Docker, path)),
        Err(error) => run.warn(format!("docker's disk is not looked at: {error}")),
    }
    let mut room = Room::measure(run, &places, target)?;
    let mut freed = Freed::default();
    let mut errors = Vec::new();
    for part in PARTS {
        room.aim(part.place);
        if room.is_enough() || !(part.is_had)(&context.env) {
            continue;
        }
        let done = (part.prune)(context, run, &mut room).or_else(|error| {
            if matches!(error, Error::Cancelled) {
                return Err(error);
            }
            let message = Failure::of(&error).message;
            run.warn(format!("{} are left as they are: {message}", part.name));
            errors.push(error);
            Ok(FreedPart {
                name: part.name.to_owned(),
                error: Some(message),
                ..FreedPart::default()
            })
        })?;
        freed.parts.push(done);
    }
    room.aim(None);
    freed.disks = room.disks()?;
    Ok(outcome(run, &freed, room.is_enough(), &errors))
}

/// Says whether there is room, but first what failed: then it is not the rules that let no more go.
fn outcome(run: &Run, freed: &Freed, is_enough: bool, errors: &[Error]) -> Outcome {
    let outcome = objects::outcome(run, freed);
    let short = freed.disks.iter().filter(|_| !is_enough);
    let mut short = short.filter(|disk| disk.free_bytes < disk.target_free_bytes);
    let short = short.next().map(|disk| {
        format!(
            "'{}' has {} free of the {} wanted",
            disk.name,
            human_bytes(disk.free_bytes),
            human_bytes(disk.target_free_bytes)
        )
    });
    let failed = errors.first().map(|error| Failure::of(error).message);
    let hint = errors.first().and_then(Fail::hint);
    match (failed.or_else(|| objects::failed(freed)), short) {
        (Some(failed), Some(short)) => {
            outcome.but(ErrorKind::Partial, format!("{failed}; {short}"), hint)
        }
        (Some(failed), None) => outcome.but(ErrorKind::Partial, failed, hint),
        (None, Some(short)) => {
            let hint = "no rule lets more go: th-prune sets, or shorter times, make more room";
            outcome.but(ErrorKind::Negative, short, Some(hint.to_owned()))
        }
        (None, None) => outcome,
    }
}
