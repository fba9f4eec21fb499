//! The gates: what must hold before a release.

use std::path::Path;

use th_cli::human_bytes;
use th_record::kind::{GateResult, Slot};

use super::{FrontSeen, Observed};
use crate::front::{Answers, Bad};
use crate::schema::Connections;
use crate::sockets::LONGEST_PATH;

/// A file system with less than this much free is as good as full.
const LEAST_FREE: u64 = 64 << 20;

/// Returns what must hold before a release, and whether it does.
pub(super) fn gates(previous: Option<Slot>, seen: &Observed) -> Vec<GateResult> {
    let mut gates = vec![
        image(seen),
        path(seen),
        memory(seen),
        connections(seen),
        disk(seen),
    ];
    gates.extend(super::lanes::beyond(&seen.lanes_beyond));
    gates.extend(seen.other_images.as_deref().map(same_image));
    if let Some(front) = &seen.front {
        gates.push(match front {
            FrontSeen::Down(why) => gate("front", Some(false), why.clone()),
            FrontSeen::Answers(answers) => serves(previous, &answers.slots),
        });
    }
    if let Some(FrontSeen::Answers(answers)) = &seen.front {
        gates.push(probes(previous, seen, answers));
    }
    gates
}

fn image(seen: &Observed) -> GateResult {
    let missing = seen.missing_images.join(", ");
    match seen.missing_images.len() {
        0 => gate(
            "image",
            Some(true),
            format!("{} images are there", seen.images),
        ),
        1 => gate(
            "image",
            Some(false),
            format!("image '{missing}' is not there"),
        ),
        _ => gate(
            "image",
            Some(false),
            format!("images {missing} are not there"),
        ),
    }
}

/// A tag that was built anew since is other code than what is gone back to.
fn same_image(others: &[String]) -> GateResult {
    match others {
        [] => gate(
            "same_image",
            Some(true),
            "the images are those that were released".to_owned(),
        ),
        others => gate("same_image", Some(false), others.join(", ")),
    }
}

fn path(seen: &Observed) -> GateResult {
    let bytes = seen.longest_path.len();
    let name = Path::new(&seen.longest_path).display();
    let found = format!("'{name}' has {bytes} bytes, and a socket's path at most {LONGEST_PATH}");
    gate("path", Some(bytes <= LONGEST_PATH), found)
}

fn memory(seen: &Observed) -> GateResult {
    if seen.idle_runs {
        return gate("memory", Some(true), "the slot runs already".to_owned());
    }
    match (seen.live_memory, seen.free_memory) {
        (Some(live), Some(free)) => gate(
            "memory",
            Some(live <= free),
            format!(
                "the live slot uses {}, {} are free",
                human_bytes(live),
                human_bytes(free)
            ),
        ),
        _ => gate("memory", None, "not known".to_owned()),
    }
}

/// The new slot is taken to need as many connections as the old one has.
fn connections(seen: &Observed) -> GateResult {
    let Some(Connections { most, used, app }) = seen.connections else {
        return gate("connections", None, "not known".to_owned());
    };
    let free = most.saturating_sub(used);
    gate(
        "connections",
        Some(seen.idle_runs || app.max(1) <= free),
        format!("the app has {app} database connections, {free} of {most} are free"),
    )
}

fn disk(seen: &Observed) -> GateResult {
    match seen.free_disk {
        Some(free) => gate(
            "disk",
            Some(free >= LEAST_FREE),
            format!("{} are free", human_bytes(free)),
        ),
        None => gate("disk", None, "not known".to_owned()),
    }
}

fn serves(previous: Option<Slot>, slots: &[Slot]) -> GateResult {
    let names: Vec<&str> = slots.iter().map(|slot| slot.name()).collect();
    match (previous, slots) {
        (_, []) => gate("served", None, "no answer names its slot".to_owned()),
        (Some(live), [one]) if *one == live => {
            gate("served", Some(true), format!("{live} answers"))
        }
        (Some(live), _) => gate(
            "served",
            Some(false),
            format!(
                "{live} has the traffic, but {} answers: nginx reads another file or directory",
                names.join(" and ")
            ),
        ),
        (None, _) => gate(
            "served",
            Some(false),
            format!(
                "no slot has the traffic, but {} answers: nginx reads another file or directory",
                names.join(" and ")
            ),
        ),
    }
}

/// A release is judged by the answers to what the settings ask for: those that are bad before it, and
/// are not the live slot's own, would have it taken back.
fn probes(previous: Option<Slot>, seen: &Observed, answers: &Answers) -> GateResult {
    let bad = &answers.bad;
    let is_the_page = |bad: &&Bad| bad.status == 503 && bad.slot.is_none();
    let by_maintenance = bad.iter().find(is_the_page).filter(|_| seen.maintenance);
    let foreign = bad.iter().find(|bad| !bad.is_the_apps());
    match (by_maintenance, foreign, previous) {
        (Some(bad), ..) => gate(
            "probes",
            Some(false),
            format!("{bad}: the maintenance page is on"),
        ),
        (_, Some(bad), Some(live)) if seen.live_is_healthy => gate(
            "probes",
            Some(false),
            format!("{bad} though {live} is healthy"),
        ),
        _ => gate(
            "probes",
            (answers.failed() == 0).then_some(true),
            answers.complaint(),
        ),
    }
}

fn gate(name: &str, ok: Option<bool>, found: String) -> GateResult {
    GateResult {
        name: name.to_owned(),
        ok,
        found,
    }
}
