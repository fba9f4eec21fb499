//! What is said to a person instead of the record.

use th_cli::printable;
use th_record::kind::{
    CanarySide, CanaryStep, CanaryVerdict, Receipt, Releases, SwapInit, SwapPlan, SwapStatus,
    Swapped,
};

/// Tells where the traffic is.
pub(crate) fn swapped(swapped: &Swapped) -> String {
    let tag = printable(&swapped.tag);
    let mut lines = vec![match swapped.live {
        Some(live) if live == swapped.slot => format!("{tag} is live in {live}"),
        Some(live) => format!("{tag} is not live; {live} has the traffic"),
        None => format!("{tag} is not live, and no slot has all of the traffic"),
    }];
    lines.extend(swapped.steps.iter().map(step));
    lines.extend(swapped.receipt.as_ref().map(receipt));
    if let Some(watch) = &swapped.watch {
        lines.push(format!(
            "  watched  {:.0} s, {} requests, {} failed",
            watch.duration_seconds, watch.requests, watch.failed
        ));
    }
    let phases: Vec<String> = swapped
        .phases
        .iter()
        .map(|phase| format!("{} {:.2} s", phase.name, phase.duration_seconds))
        .collect();
    if !phases.is_empty() {
        lines.push(format!("  took     {}", phases.join(", ")));
    }
    lines.join("\n")
}

fn step(step: &CanaryStep) -> String {
    let side = |side: &CanarySide| {
        let p95 = side
            .p95_seconds
            .map_or("?".to_owned(), |p95| format!("{p95:.3}"));
        format!(
            "{} requests, {} failed, 19 of 20 in {p95} s",
            side.requests, side.errors
        )
    };
    let verdict = match step.verdict {
        CanaryVerdict::Good => "good",
        CanaryVerdict::Bad => "bad",
        CanaryVerdict::Inconclusive => "not clear",
    };
    format!(
        "  {:3} %    {verdict}: new {}; old {}",
        step.percent,
        side(&step.new),
        side(&step.old)
    )
}

fn receipt(receipt: &Receipt) -> String {
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
    format!(
        "  receipt  {} requests, {} failed, longest gap {} ms, first answer after {}, drained in {}, {} cut",
        receipt.requests,
        receipt.failed,
        receipt.max_gap_ms,
        or_unknown(receipt.first_new_ms.map(|ms| format!("{ms} ms"))),
        or_unknown(
            receipt
                .drain_seconds
                .map(|seconds| format!("{seconds:.2} s"))
        ),
        or_unknown(receipt.cut.map(|cut| cut.to_string()))
    )
}

/// Tells of a plan.
pub(crate) fn plan(plan: &SwapPlan) -> String {
    let mut lines = vec![format!(
        "with {} in {}, would:",
        printable(&plan.tag),
        plan.slot
    )];
    let steps = plan.steps.iter();
    lines.extend(steps.map(|step| format!("  {} {}", step.action, printable(&step.object))));
    for gate in &plan.gates {
        let ok = match gate.ok {
            Some(true) => "holds",
            Some(false) => "REFUSES",
            None => "unknown",
        };
        lines.push(format!(
            "  {:11} {ok:8} {}",
            gate.name,
            printable(&gate.found)
        ));
    }
    lines.join("\n")
}

/// Tells whether all agree.
pub(crate) fn status(status: &SwapStatus) -> String {
    let tag = status
        .tag
        .as_deref()
        .map_or("nothing".to_owned(), printable);
    let mut lines = vec![match status.slot {
        Some(slot) => format!("{tag} is live in {slot}"),
        None => format!("{tag} is live, and no slot has all of the traffic"),
    }];
    for slot in &status.slots {
        let state = match (slot.running, slot.healthy) {
            (Some(false), _) => "stopped",
            (_, true) => "healthy",
            (Some(true), false) => "not healthy",
            (None, false) => "?",
        };
        lines.push(format!(
            "  {:6} {:11} {:3} lanes  {:3} connections  {}",
            slot.name,
            state,
            slot.lanes,
            slot.connections
                .map_or("?".to_owned(), |count| count.to_string()),
            slot.tag.as_deref().map_or(String::new(), printable)
        ));
    }
    if let Some(served) = &status.served {
        let names: Vec<&str> = served.iter().map(|slot| slot.name()).collect();
        lines.push(format!("  nginx  serves {}", names.join(" and ")));
    }
    if let Some(pending) = &status.pending {
        let until = pending
            .hold_until_at
            .map_or(String::new(), |at| format!(" until {at}"));
        lines.push(format!("  run {} is {}{until}", pending.run, pending.phase));
    }
    if status.maintenance {
        lines.push("  the maintenance page is on".to_owned());
    }
    lines.extend(
        status
            .problems
            .iter()
            .map(|problem| format!("  ! {}", printable(problem))),
    );
    lines.join("\n")
}

/// Tells of the releases that were listed.
pub(crate) fn releases(releases: &Releases) -> String {
    let or_none = |tag: &Option<String>| tag.as_deref().map_or("none".to_owned(), printable);
    format!(
        "{} releases; live: {}; rollback goes to: {}",
        releases.count,
        or_none(&releases.live),
        or_none(&releases.rollback_to)
    )
}

/// Tells what was laid, and what is left to a person.
pub(crate) fn init(init: &SwapInit) -> String {
    let mut lines = vec![format!(
        "{} is laid out for releases",
        printable(&init.root)
    )];
    lines.extend(
        init.made
            .iter()
            .map(|path| format!("  made {}", printable(path))),
    );
    lines.push(format!(
        "  nginx, in http: include {};",
        printable(&init.include)
    ));
    lines.push(format!("  upstreams: {}", init.upstreams.join(", ")));
    lines.join("\n")
}
