//! A canary's share of the users, and whether they stay where they are.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use th_kit::slots_of_users;

use crate::releases::live;
use crate::subject::Subject;
use crate::table::Table;

const USERS: u32 = 2000;
/// In percent, and in lanes of twenty.
const SHARES: [(u32, u64); 3] = [(10, 2), (25, 5), (50, 10)];

/// Begins a canary for each share, asks as many users twice, and takes it back.
pub(crate) fn share(subject: &Subject, table: &mut Table) -> Result<()> {
    let load = subject.traffic.start();
    for (percent, lanes) in SHARES {
        let (_, tag) = live(subject)?;
        let next = subject.tags.iter().find(|next| **next != tag);
        let next = next.context("two tags are needed")?;
        let steps = percent.to_string();
        let args = [
            "canary", "--tag", next, "--steps", &steps, "--every", "120s", "--quiet",
        ];
        let running = subject.swap(&args)?.start()?;
        let slot = wait_for_lanes(subject, next, lanes)?;
        let traffic = &subject.traffic;
        let ask = || slots_of_users(&traffic.address, &traffic.get[0], &traffic.headers, USERS);
        let (first, second) = (ask()?, ask()?);
        let share = first.iter().filter(|seen| **seen == slot).count() as f64;
        let share = share * 100.0 / f64::from(USERS);
        let moved = first
            .iter()
            .zip(&second)
            .filter(|(one, two)| one != two)
            .count();
        running.signal("TERM")?;
        running.wait()?;
        eprintln!("canary of {percent} %: {share:.1} %");
        table.row(
            &format!("canary of {percent} %: share of {USERS} users; users who changed their slot"),
            &format!("{share:.1} %; {moved}"),
            "within 2 points; 0",
            (share - f64::from(percent)).abs() <= 2.0 && moved == 0,
        );
    }
    let counted = load.finish();
    table.row(
        &format!(
            "failed requests over {} canaries and {} requests",
            SHARES.len(),
            counted.requests
        ),
        &format!("{} {:?}", counted.failed, counted.failures),
        "0",
        counted.failed == 0,
    );
    Ok(())
}

/// Waits until so many lanes lead to the slot of `tag`, and returns it.
fn wait_for_lanes(subject: &Subject, tag: &str, lanes: u64) -> Result<String> {
    for _ in 0..600 {
        let status = subject.swap(&["status"])?.run()?;
        for slot in status.data()["slots"].as_array().into_iter().flatten() {
            if slot["tag"] == tag && slot["lanes"] == lanes {
                return Ok(slot["name"].as_str().unwrap_or_default().to_owned());
            }
        }
        thread::sleep(Duration::from_millis(200));
    }
    bail!("the canary did not come to its share")
}
