//! Looking before a release.

use std::fs;
use std::path::Path;

use th_cli::Run;
use th_config::Mode;
use th_docker::Docker;
use th_record::Image;
use th_record::kind::Slot;

use crate::context::Context;
use crate::front::{Front, Way};
use crate::plan::{FrontSeen, Observed};
use crate::schema::Schema;
use crate::{Error, boot, maintenance};

/// So many users ask who answers, or more to ask for all there is.
const USERS: u64 = 5;

/// Observes all that a release of `images` into the idle slot depends on.
pub(crate) fn observe(
    context: &Context,
    run: &mut Run,
    docker: &Docker,
    schema: Option<&mut Schema>,
    front: Option<&Front>,
    live: Option<Slot>,
    images: &[(String, String)],
) -> Result<Observed, Error> {
    let mut seen = Observed {
        images: images.len(),
        lanes_beyond: match context.slots.mode {
            Mode::Lanes => context.lanes.beyond()?,
            Mode::Reload => Vec::new(),
        },
        longest_path: longest_path(context),
        free_memory: free_memory(),
        free_disk: free_disk(context.state.dir(), &context.root),
        maintenance: maintenance::is_on(context),
        ..Observed::default()
    };
    for (_, image) in images {
        if docker.image_id(image)?.is_none() && !seen.missing_images.contains(image) {
            seen.missing_images.push(image.clone());
        }
    }
    if let Some(live) = live {
        let idle = docker.project(&context.project(live.other()))?;
        seen.idle_runs = !idle.is_empty() && idle.iter().all(|member| member.container.running);
        seen.live_memory = memory_of(docker, &context.project(live))?;
    }
    if let Some(schema) = schema {
        match schema.connections() {
            Ok(connections) => seen.connections = Some(connections),
            Err(error) => run.warn(format!("the database's connections are not known: {error}")),
        }
    }
    seen.front = front.map(|front| {
        let ways = front.ways();
        look(front, USERS.max(ways.len() as u64), &ways)
    });
    if let (Some(FrontSeen::Answers(answers)), Some(live)) = (&seen.front, live)
        && answers.failed() > 0
    {
        seen.live_is_healthy = boot::probe(context, live).is_ok();
        run.warn(format!("before the release, {}", answers.complaint()));
    }
    Ok(seen)
}

/// Returns those of `remembered` whose names are now other images, in words; `None` when nothing is
/// remembered.
pub(crate) fn other_images(
    docker: &Docker,
    remembered: &[Image],
) -> Result<Option<Vec<String>>, Error> {
    let mut others = Vec::new();
    for Image { name, id, .. } in remembered {
        if let Some(now) = docker.image_id(name)?.filter(|now| now != id) {
            others.push(format!("'{name}' was {id}, and is {now} now"));
        }
    }
    Ok((!remembered.is_empty()).then_some(others))
}

/// Asks through the web server who answers.
pub(crate) fn look(front: &Front, users: u64, ways: &[Way]) -> FrontSeen {
    match front.survey(users, ways) {
        Ok(answers) => FrontSeen::Answers(answers),
        Err(error) => FrontSeen::Down(format!("nothing answers on {}: {error}", front.address)),
    }
}

pub(crate) fn memory_of(docker: &Docker, project: &str) -> Result<Option<u64>, Error> {
    let mut sum = None;
    for member in docker.project(project)? {
        if member.container.running
            && let Some(bytes) = docker.memory_bytes(&member)?
        {
            sum = Some(sum.unwrap_or(0) + bytes);
        }
    }
    Ok(sum)
}

pub(crate) fn longest_path(context: &Context) -> String {
    let services = context.slots.services.iter();
    let lane = context.lanes.path(0);
    let dirs = [context.run_dir(Slot::Green), lane];
    services
        .flat_map(|service| dirs.iter().map(|dir| context.socket(dir, &service.name)))
        .map(|path| path.to_string_lossy().into_owned())
        .max_by_key(String::len)
        .unwrap_or_default()
}

pub(crate) fn free_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Returns what is free where the state is, or will be.
fn free_disk(state: &Path, root: &Path) -> Option<u64> {
    let dir = if state.is_dir() { state } else { root };
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
}
