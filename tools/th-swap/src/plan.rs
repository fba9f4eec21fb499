//! What a swap will do, from what was observed. Nothing here touches anything.

mod gates;
mod lanes;

use th_record::kind::{Slot, SwapPlan, SwapStep};

use crate::Error;
use crate::front::Answers;
use crate::schema::Connections;

/// What was observed before a release.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observed {
    /// The images of the release that are not there.
    pub(crate) missing_images: Vec<String>,
    /// How many images it has.
    pub(crate) images: usize,
    /// Those that are not what was released under their name before, in words; `None` when it need
    /// not be the same.
    pub(crate) other_images: Option<Vec<String>>,
    /// The longest path of a socket.
    pub(crate) longest_path: String,
    /// The lanes beyond those of the settings.
    pub(crate) lanes_beyond: Vec<u16>,
    /// Whether the idle slot runs already, so that starting it needs no more memory.
    pub(crate) idle_runs: bool,
    /// The memory that the live slot uses.
    pub(crate) live_memory: Option<u64>,
    /// The memory that is free.
    pub(crate) free_memory: Option<u64>,
    /// The database's connections.
    pub(crate) connections: Option<Connections>,
    /// Space on the file system of the state.
    pub(crate) free_disk: Option<u64>,
    /// What answered through the web server; `None` without a front.
    pub(crate) front: Option<FrontSeen>,
    /// Whether the live slot answers well on its own sockets; looked at when the web server does not.
    pub(crate) live_is_healthy: bool,
    /// Whether the maintenance page is on.
    pub(crate) maintenance: bool,
}

/// What answered through the web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FrontSeen {
    /// Nobody can be asked there.
    Down(String),
    /// What was answered.
    Answers(Answers),
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) tag: &'a str,
    pub(crate) slot: Slot,
    pub(crate) previous_tag: Option<&'a str>,
    pub(crate) previous_slot: Option<Slot>,
    pub(crate) exclusive: &'a [String],
    /// The steps of a canary before all of the traffic: lanes of how many.
    pub(crate) shares: &'a [String],
    pub(crate) hold_seconds: u64,
}

/// Plans a release.
pub(crate) fn release(wanted: Wanted<'_>, seen: &Observed) -> SwapPlan {
    let slot = wanted.slot.name();
    let mut steps = vec![step("start", slot), step("probe", slot)];
    steps.extend(moves(wanted));
    SwapPlan {
        gates: gates::gates(wanted.previous_slot, seen),
        ..plan(wanted, steps)
    }
}

/// Plans the rest of a release whose slot runs already.
pub(crate) fn going_on(wanted: Wanted<'_>) -> SwapPlan {
    plan(wanted, moves(wanted))
}

fn plan(wanted: Wanted<'_>, steps: Vec<SwapStep>) -> SwapPlan {
    SwapPlan {
        tag: wanted.tag.to_owned(),
        slot: wanted.slot,
        previous_tag: wanted.previous_tag.map(str::to_owned),
        previous_slot: wanted.previous_slot,
        gates: Vec::new(),
        steps,
    }
}

/// Returns how the traffic gets to a slot that runs, and what becomes of the other.
fn moves(wanted: Wanted<'_>) -> Vec<SwapStep> {
    let (mut steps, slot) = (Vec::new(), wanted.slot.name());
    let (exclusive, old) = (wanted.exclusive, wanted.previous_slot.map(Slot::name));
    if old.is_some() {
        let shares = wanted.shares.iter();
        steps.extend(shares.map(|share| step("share", &format!("{share} to {slot}"))));
    }
    if let Some(old) = old {
        steps.extend(
            exclusive
                .iter()
                .map(|name| step("stop_service", &format!("{name} of {old}"))),
        );
    }
    steps.push(step("repoint", slot));
    steps.extend(
        exclusive
            .iter()
            .map(|name| step("start_service", &format!("{name} of {slot}"))),
    );
    if let Some(old) = old {
        steps.push(step("drain", old));
        if wanted.hold_seconds > 0 {
            steps.push(step(
                "hold",
                &format!("{old} for {} s", wanted.hold_seconds),
            ));
        }
        steps.push(step("stop", old));
    }
    steps
}

/// Returns the first reason not to act.
pub(crate) fn refusal(plan: &SwapPlan) -> Option<Error> {
    let refused = plan.gates.iter().find(|gate| gate.ok == Some(false))?;
    let found = refused.found.clone();
    Some(match refused.name.as_str() {
        "image" => Error::NoImage(found),
        "front" => Error::FrontDown(found),
        "served" => Error::Front(found),
        _ => Error::Gate {
            name: refused.name.clone(),
            found,
        },
    })
}

fn step(action: &str, object: &str) -> SwapStep {
    SwapStep {
        action: action.to_owned(),
        object: object.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::{Bad, Way};

    fn good() -> Observed {
        Observed {
            images: 2,
            longest_path: "/srv/app/run/lanes/19/api.sock".to_owned(),
            live_memory: Some(100 << 20),
            free_memory: Some(200 << 20),
            connections: Some(Connections {
                most: 97,
                used: 20,
                app: 12,
            }),
            free_disk: Some(1 << 30),
            front: Some(answers(Slot::Blue, &[])),
            live_is_healthy: true,
            ..Observed::default()
        }
    }

    /// `slot` has answered `/`, and these statuses were not good.
    fn answers(slot: Slot, bad: &[(u16, Option<Slot>)]) -> FrontSeen {
        let bad = bad.iter().map(|(status, slot)| Bad {
            way: Way::get("/"),
            status: *status,
            slot: *slot,
        });
        FrontSeen::Answers(Answers {
            slots: vec![slot],
            asked: 5,
            bad: bad.collect(),
            silent: 0,
        })
    }

    fn wanted(previous_slot: Option<Slot>) -> Wanted<'static> {
        Wanted {
            tag: "v2",
            slot: Slot::Green,
            previous_tag: None,
            previous_slot,
            exclusive: &[],
            shares: &[],
            hold_seconds: 600,
        }
    }

    #[test]
    fn each_gate_refuses_by_its_name() {
        let refused = |change: fn(&mut Observed)| {
            let mut seen = good();
            change(&mut seen);
            let plan = release(wanted(Some(Slot::Blue)), &seen);
            let names: Vec<String> = plan
                .gates
                .iter()
                .filter(|gate| gate.ok == Some(false))
                .map(|gate| gate.name.clone())
                .collect();
            assert_eq!(refusal(&plan).is_some(), !names.is_empty());
            names.join(" ")
        };
        assert_eq!(refused(|_| {}), "");
        assert_eq!(
            refused(|seen| seen.missing_images = vec!["api:v2".into()]),
            "image"
        );
        assert_eq!(refused(|seen| seen.other_images = Some(Vec::new())), "");
        assert_eq!(
            refused(|seen| seen.other_images = Some(vec!["api:v2".into()])),
            "same_image"
        );
        assert_eq!(refused(|seen| seen.longest_path = "x".repeat(107)), "");
        assert_eq!(refused(|seen| seen.longest_path = "x".repeat(108)), "path");
        assert_eq!(refused(|seen| seen.lanes_beyond = vec![10]), "lanes");
        assert_eq!(refused(|seen| seen.free_memory = Some(99 << 20)), "memory");
        assert_eq!(refused(|seen| seen.live_memory = None), "");
        let few = |seen: &mut Observed| {
            seen.connections = Some(Connections {
                most: 97,
                used: 90,
                app: 12,
            });
        };
        assert_eq!(refused(few), "connections");
        assert_eq!(refused(|seen| seen.free_disk = Some(1 << 20)), "disk");
        assert_eq!(
            refused(|seen| seen.front = Some(FrontSeen::Down("refused".into()))),
            "front"
        );
        let other = |seen: &mut Observed| seen.front = Some(answers(Slot::Green, &[]));
        assert_eq!(refused(other), "served");
        assert_eq!(
            refused(|seen| seen.front = Some(answers(Slot::Blue, &[(404, None)]))),
            "probes"
        );
    }

    #[test]
    fn a_bad_answer_refuses_unless_the_release_may_mend_it() {
        let probes = |healthy, maintenance, bad: &[(u16, Option<Slot>)]| {
            let seen = Observed {
                front: Some(answers(Slot::Blue, bad)),
                live_is_healthy: healthy,
                maintenance,
                ..good()
            };
            let plan = release(wanted(Some(Slot::Blue)), &seen);
            let gate = plan.gates.into_iter().find(|gate| gate.name == "probes");
            gate.map(|gate| (gate.ok, gate.found)).unwrap()
        };
        assert_eq!(probes(true, false, &[]).0, Some(true));
        let (ok, found) = probes(true, false, &[(500, None), (404, None)]);
        assert_eq!(
            (ok, found.as_str()),
            (Some(false), "GET / answers 404 though blue is healthy")
        );
        // The app's own, and that of a slot that is down.
        let own = [(500, None), (504, None), (404, Some(Slot::Blue))];
        assert_eq!(probes(true, false, &own).0, None);
        assert_eq!(probes(true, true, &[(503, Some(Slot::Blue))]).0, None);
        assert_eq!(probes(false, false, &[(502, None)]).0, None);
        let (ok, found) = probes(false, true, &[(503, None)]);
        assert_eq!(
            (ok, found.as_str()),
            (Some(false), "GET / answers 503: the maintenance page is on")
        );
    }

    #[test]
    fn a_first_release_has_nothing_to_drain() {
        let actions = |previous| {
            let plan = release(wanted(previous), &good());
            let actions: Vec<String> = plan.steps.into_iter().map(|step| step.action).collect();
            actions.join(" ")
        };
        assert_eq!(actions(None), "start probe repoint");
        assert_eq!(
            actions(Some(Slot::Blue)),
            "start probe repoint drain hold stop"
        );
    }
}
