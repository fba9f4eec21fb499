//! th-swap: releases, and ways back.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use th_kit::Ended;

use crate::streams::Streams;
use crate::subject::Subject;
use crate::table::{Table, median};

/// The phases that are the app's start and end, and the drain, which is as long as the streams are.
const NOT_OURS: [&str; 4] = ["start", "ready", "drain", "stop"];

/// So many releases and requests are a full run. A shorter one proves less, and says so.
const FULL: (u32, u64) = (200, 100_000);

/// Releases the tags in turn, with slots really stopped and started.
pub(crate) fn soak(subject: &Subject, table: &mut Table) -> Result<()> {
    let load = subject.traffic.start();
    let streams = Streams::start(subject);
    let (mut whole, mut ours, mut first) = (Vec::new(), Vec::new(), Vec::new());
    let (mut cut, mut unknown) = (0, 0);
    for number in 0..subject.swaps {
        let ended = released(subject, subject.tag(number), "0s")?
            .wait()?
            .expect(0)?;
        let receipt = &ended.data()["receipt"];
        ensure!(receipt["failed"] == 0, "{}", ended.record);
        match receipt["cut"].as_u64() {
            Some(count) => cut += count,
            None => unknown += 1,
        }
        first.extend(receipt["first_new_ms"].as_f64());
        let took = seconds(&ended.record["duration_seconds"])?;
        whole.push(took);
        ours.push(took - phases(&ended, &NOT_OURS)?);
        let (requests, failed) = load.so_far();
        eprintln!(
            "release {} of {}: {requests} requests, {failed} failed",
            number + 1,
            subject.swaps
        );
    }
    let (streams, cuts) = streams.finish();
    let counted = load.finish();
    let failed = format!("{} {:?}", counted.failed, counted.failures);
    let what = format!(
        "failed requests over {} releases and {} requests from {} users",
        subject.swaps, counted.requests, subject.traffic.users
    );
    table.row(&what, &failed, "0", counted.failed == 0);
    let measured = format!("{} and {}", subject.swaps, counted.requests);
    if subject.swaps < FULL.0 {
        table.info("releases and requests of a short run", measured);
    } else {
        table.row(
            "releases and requests",
            &measured,
            &format!("≥ {} and ≥ {}", FULL.0, FULL.1),
            counted.requests >= FULL.1,
        );
    }
    table.info(
        "longest gap of a user; p50 and p99 of all answers",
        format!(
            "{} ms; {} and {} ms",
            counted.max_gap.as_millis(),
            counted.percentile(0.5),
            counted.percentile(0.99)
        ),
    );
    let what = format!(
        "uploads, downloads and websockets cut, of {}, always one of each open",
        streams as usize + cuts.len()
    );
    table.row(
        &what,
        &format!(
            "{} {:?}",
            cuts.len(),
            cuts.iter().take(3).collect::<Vec<_>>()
        ),
        "0",
        cuts.is_empty() && streams > 0,
    );
    let measured = match unknown {
        0 => cut.to_string(),
        unknown => format!("{cut}, not known of {unknown} releases"),
    };
    table.row(
        "connections cut, by th-swap's own count",
        &measured,
        "0",
        cut == 0 && unknown == 0,
    );
    table.info(
        "switch to first answer of the new slot, th-swap's own count, p50",
        format!("{:.0} ms", median(&mut first)),
    );
    let bound = median(&mut whole);
    table.row(
        "full release, images present, p50",
        &format!("{bound:.1} s"),
        "≤ 60 s",
        bound <= 60.0,
    );
    let bound = median(&mut ours);
    table.row(
        "of which not the app's start and stop, and not the drain, p50",
        &format!("{bound:.2} s"),
        "≤ 3 s",
        bound <= 3.0,
    );
    Ok(())
}

/// Releases, and goes back while the old slot is warm.
pub(crate) fn way_back(subject: &Subject, table: &mut Table) -> Result<()> {
    let load = subject.traffic.start();
    let (mut whole, mut first) = (Vec::new(), Vec::new());
    for number in 0..subject.rollbacks {
        let live = live(subject)?;
        let next = subject
            .tags
            .iter()
            .find(|tag| **tag != live.1)
            .context("two tags are needed")?;
        let running = released(subject, next, "10m")?;
        wait_holding(subject)?;
        thread::sleep(Duration::from_secs(3));
        load.mark();
        let start = Instant::now();
        let back = subject.swap(&["rollback", "--quiet"])?.run()?.expect(0)?;
        whole.push(start.elapsed().as_secs_f64() * 1000.0);
        ensure!(back.data()["booted"] == false, "{}", back.record);
        let answered = load.first(&live.0).context("the old slot did not answer")?;
        first.push(answered.duration_since(start).as_secs_f64() * 1000.0);
        running.wait()?.expect(20)?;
        eprintln!(
            "way back {} of {}: {:.0} ms",
            number + 1,
            subject.rollbacks,
            whole[whole.len() - 1]
        );
    }
    let counted = load.finish();
    let bound = median(&mut first);
    table.row(
        "rollback inside the hold, command to first answer of the warm slot, p50",
        &format!("{bound:.0} ms"),
        "≤ 50 ms",
        bound <= 50.0,
    );
    let bound = median(&mut whole);
    table.row(
        "rollback inside the hold, whole command, p50",
        &format!("{bound:.0} ms"),
        "≤ 150 ms",
        bound <= 150.0,
    );
    let what = format!(
        "failed requests over {} ways back and {} requests",
        subject.rollbacks, counted.requests
    );
    table.row(
        &what,
        &format!("{} {:?}", counted.failed, counted.failures),
        "0",
        counted.failed == 0,
    );
    Ok(())
}

fn released(subject: &Subject, tag: &str, hold: &str) -> Result<th_kit::Running> {
    subject
        .swap(&["to", "--tag", tag, "--hold", hold, "--quiet"])?
        .start()
}

/// Returns the slot and the tag that have the traffic.
pub(crate) fn live(subject: &Subject) -> Result<(String, String)> {
    let status = subject.swap(&["status"])?.run()?;
    let text = |key: &str| status.data()[key].as_str().map(str::to_owned);
    text("slot")
        .zip(text("tag"))
        .with_context(|| format!("{}", status.record))
}

fn wait_holding(subject: &Subject) -> Result<()> {
    for _ in 0..600 {
        let status = subject.swap(&["status"])?.run()?;
        if status.data()["pending"]["phase"] == "holding" {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
    bail!("the release did not come to its hold")
}

fn phases(ended: &Ended, names: &[&str]) -> Result<f64> {
    let phases = ended.data()["phases"].as_array();
    let named = |phase: &&Value| names.iter().any(|name| phase["name"] == *name);
    phases
        .with_context(|| format!("no phases: {}", ended.record))?
        .iter()
        .filter(named)
        .map(|phase| seconds(&phase["duration_seconds"]))
        .sum()
}

fn seconds(value: &Value) -> Result<f64> {
    value
        .as_f64()
        .with_context(|| format!("{value} is no time"))
}
