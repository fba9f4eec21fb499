//! Releases in steps: who gets which slot, and what becomes of a release that is worse.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::Value;
use th_kit::{Ended, Running, SlotApp};

use crate::backup_failures::wait_for;
use crate::swap_canary_users::{Crowd, slots};

const USERS: u32 = 2000;

/// An app with `v1` released, whose canaries are judged by what users meet.
pub(crate) fn app() -> Result<SlotApp> {
    let app = SlotApp::released()?;
    let front = format!("http://{}", app.nginx().address());
    app.write_config(&format!(
        "nginx = {{ front = \"{front}\", access_log = \"nginx/access.log\" }}"
    ))?;
    Ok(app)
}

/// Compares by own probes, also on a machine that other tests keep busy.
pub(crate) const BY_PROBES: [&str; 6] = [
    "--compare",
    "probes",
    "--min-requests",
    "10",
    "--latency-factor",
    "100",
];

fn start(app: &SlotApp, steps: &str, every: &str, more: &[&str]) -> Result<Running> {
    let args = ["canary", "--tag", "v2", "--steps", steps, "--every", every];
    app.swap(&args)?.args(more).start()
}

pub(crate) fn run(app: &SlotApp, steps: &str, every: &str, more: &[&str]) -> Result<Ended> {
    start(app, steps, every, more)?.wait()
}

/// How many of the lanes lead to `slot`.
fn lanes(app: &SlotApp, slot: &str) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(app.path("run/lanes"))? {
        count += usize::from(fs::read_link(entry?.path())?.ends_with(slot));
    }
    Ok(count)
}

fn verdicts(ended: &Ended) -> Vec<&str> {
    let steps = ended.data()["steps"].as_array();
    let verdicts = steps.into_iter().flatten().map(|step| &step["verdict"]);
    verdicts.filter_map(Value::as_str).collect()
}

/// All of the traffic is where it was, and the new slot is stopped.
fn check_back(app: &SlotApp, ended: &Ended) -> Result<()> {
    assert_eq!(ended.data()["live"], "blue", "{}", ended.record);
    assert_eq!(app.lanes()?, ["blue"]);
    assert_eq!(app.running("api")?, ["blue"]);
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}

#[test]
fn the_share_is_as_asked_for_and_a_client_keeps_its_slot() -> Result<()> {
    let app = app()?;
    let address = app.nginx().address();
    let mut before: Vec<String> = slots(&address, USERS)?;
    ensure!(before.iter().all(|slot| slot == "blue"), "{before:?}");
    for (percent, wanted) in [(10, 2), (50, 10)] {
        let canary = start(&app, &percent.to_string(), "10m", &[])?;
        wait_for(|| Ok(lanes(&app, "green")? == wanted))?;
        let seen = slots(&address, USERS)?;
        let green = seen.iter().filter(|slot| *slot == "green").count();
        let share = green as f64 * 100.0 / f64::from(USERS);
        ensure!(
            (share - f64::from(percent)).abs() <= 2.0,
            "{share} % of the clients, not {percent} %"
        );
        assert_eq!(slots(&address, USERS)?, seen, "a client changed slots");
        // Who had the new slot at the smaller share has it at the greater.
        let stay = before.iter().zip(&seen);
        ensure!(
            stay.clone()
                .all(|(before, now)| before == "blue" || now == "green")
        );
        before = seen;
        canary.signal("TERM")?;
        let ended = canary.wait()?.expect(143)?;
        check_back(&app, &ended)?;
    }
    Ok(())
}

#[test]
fn a_good_release_gets_all_of_the_traffic_and_nobody_notices() -> Result<()> {
    let app = app()?;
    let crowd = Crowd::start(&app.nginx().address(), 8);
    let ended = run(&app, "25,50,100", "3s", &[])?.expect(0)?;
    let (requests, failed) = crowd.finish()?;
    assert_eq!((failed, requests > 500), (0, true), "of {requests}");
    assert_eq!(verdicts(&ended), ["good", "good"], "{}", ended.record);
    let step = &ended.data()["steps"][0];
    assert_eq!(
        (&step["lanes"], &step["compared"]),
        (&5.into(), &"users".into())
    );
    assert!(step["new"]["requests"].as_u64() > Some(50), "{step}");
    assert!(step["old"]["p95_seconds"].as_f64() > Some(0.0), "{step}");
    assert_eq!(ended.data()["receipt"]["failed"], 0);
    assert_eq!(ended.data()["live"], "green");
    assert_eq!(
        (app.answer()?, app.running("api")?),
        ("v2 green".into(), vec!["green".into()])
    );
    Ok(())
}

#[test]
fn errors_bring_it_back_before_the_step_is_over() -> Result<()> {
    let app = app()?;
    app.sicken("v2", "work=500\n")?;
    let crowd = Crowd::start(&app.nginx().address(), 8);
    let ended = run(&app, "25,50", "60s", &[])?.expect(20)?;
    let (requests, failed) = crowd.finish()?;
    ensure!(
        failed > 0 && failed < requests / 2,
        "{failed} of {requests}"
    );
    assert_eq!(verdicts(&ended), ["bad"]);
    let step = &ended.data()["steps"][0];
    assert!(step["duration_seconds"].as_f64() < Some(55.0), "{step}");
    assert!(
        ended.message().contains("requests to the new slot failed"),
        "{}",
        ended.message()
    );
    check_back(&app, &ended)
}

#[test]
fn a_slow_release_comes_back() -> Result<()> {
    let app = app()?;
    app.sicken("v2", "slow=0.4\n")?;
    let crowd = Crowd::start(&app.nginx().address(), 12);
    let ended = run(&app, "50", "20s", &[])?.expect(20)?;
    assert_eq!(crowd.finish()?.1, 0, "slow is not failed");
    assert!(ended.message().contains("19 of 20"), "{}", ended.message());
    check_back(&app, &ended)
}

#[test]
fn errors_that_both_have_are_not_the_new_ones_fault() -> Result<()> {
    let app = app()?;
    app.sicken("v1", "work=500\n")?;
    app.sicken("v2", "work=500\n")?;
    let crowd = Crowd::start(&app.nginx().address(), 8);
    let ended = run(&app, "50", "3s", &[])?.expect(0)?;
    crowd.finish()?;
    assert_eq!(verdicts(&ended), ["good"]);
    Ok(())
}

#[test]
fn too_little_traffic_pauses_and_probes_help_out() -> Result<()> {
    let app = app()?;
    let ended = run(&app, "10,50", "2s", &[])?.expect(4)?;
    assert_eq!(verdicts(&ended), ["inconclusive"]);
    assert!(
        ended.message().contains("say nothing"),
        "{}",
        ended.message()
    );
    assert_eq!(ended.data()["live"], Value::Null);
    assert_eq!(lanes(&app, "green")?, 2);
    assert_eq!(app.running("api")?, ["blue", "green"]);
    let status = app.swap(&["status"])?.run()?.expect(0)?;
    assert_eq!(
        status.data()["pending"]["phase"],
        "paused",
        "{}",
        status.record
    );
    // A paused canary is not what a dead run left.
    app.swap(&["resume"])?.run()?.expect(0)?;
    assert_eq!(lanes(&app, "green")?, 2);

    let ended = run(&app, "10,50", "3s", &BY_PROBES)?.expect(0)?;
    assert_eq!(verdicts(&ended), ["good", "good"], "{}", ended.record);
    assert_eq!(ended.data()["steps"][0]["compared"], "probes");
    assert_eq!(
        ended.data()["booted"],
        false,
        "it went on with the slot that ran"
    );
    assert_eq!(app.answer()?, "v2 green");
    assert_eq!(app.running("api")?, ["green"]);
    Ok(())
}

#[test]
fn a_paused_canary_is_taken_back_by_rollback() -> Result<()> {
    let app = app()?;
    run(&app, "10", "1s", &[])?.expect(4)?;
    let ended = app.swap(&["rollback"])?.run()?.expect(0)?;
    check_back(&app, &ended)
}

#[test]
fn another_release_takes_a_paused_canary_back_first() -> Result<()> {
    let app = app()?;
    run(&app, "10", "1s", &[])?.expect(4)?;
    let ended = app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
    assert_eq!(ended.data()["receipt"]["failed"], 0);
    assert_eq!(
        ended.data()["previous_tag"],
        "v1",
        "v2 never had the traffic"
    );
    assert_eq!(app.answer()?, "v3 green");
    assert_eq!(app.running("api")?, ["green"]);
    Ok(())
}

#[test]
fn a_slot_that_dies_during_a_step_takes_nobody_with_it_for_long() -> Result<()> {
    let app = app()?;
    app.sicken("v2", "die=4\n")?;
    let ended = run(&app, "10", "60s", &["--compare", "probes"])?.expect(20)?;
    assert!(
        ended.message().contains("exit status 3"),
        "{}",
        ended.message()
    );
    check_back(&app, &ended)
}

#[test]
fn probes_that_fail_in_a_row_bring_it_back() -> Result<()> {
    let app = app()?;
    let canary = start(&app, "10", "60s", &[])?;
    wait_for(|| Ok(lanes(&app, "green")? == 2))?;
    app.sicken("v2", "health=503\n")?;
    let ended = canary.wait()?.expect(20)?;
    assert!(
        ended.message().contains("answers /health with 503"),
        "{}",
        ended.message()
    );
    check_back(&app, &ended)
}

#[test]
fn one_killed_in_a_step_is_taken_back_by_the_next_run() -> Result<()> {
    let app = app()?;
    let canary = start(&app, "50", "60s", &[])?;
    wait_for(|| Ok(lanes(&app, "green")? == 10))?;
    ensure!(canary.kill(), "it was over already");
    let ended = app.swap(&["resume"])?.run()?.expect(0)?;
    check_back(&app, &ended)
}

#[test]
fn what_makes_no_sense_is_refused() -> Result<()> {
    let app = app()?;
    run(&app, "50,10", "1s", &[])?.expect(2)?;
    run(&app, "0,10", "1s", &[]).map(|ended| assert_eq!(ended.code, 2))?;
    let plan = run(&app, "10,50", "1s", &["--plan"])?.expect(0)?;
    let steps = plan.data()["steps"].as_array().cloned().unwrap_or_default();
    let shares = steps.iter().filter(|step| step["action"] == "share");
    let shares: Vec<_> = shares.filter_map(|step| step["object"].as_str()).collect();
    assert_eq!(
        shares,
        ["2 of 20 lanes to green", "10 of 20 lanes to green"]
    );
    assert_eq!(
        (&plan.record["kind"], app.running("api")?),
        (&"swap_plan".into(), vec!["blue".into()])
    );
    Ok(())
}
