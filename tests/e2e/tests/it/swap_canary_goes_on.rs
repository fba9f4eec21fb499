//! What a canary is told when it goes on, what is planned meanwhile, and what it is refused before it begins.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::Value;
use th_kit::{Ended, SlotApp};

use crate::swap_canary::{BY_PROBES, app, run};
use crate::swap_rollback::backup;

fn steps(plan: &Ended) -> Vec<String> {
    let steps = plan.data()["steps"].as_array().cloned().unwrap_or_default();
    let words = |step: &Value| {
        let (action, object) = (&step["action"], &step["object"]);
        format!(
            "{} {}",
            action.as_str().unwrap_or("?"),
            object.as_str().unwrap_or("?")
        )
    };
    steps.iter().map(words).collect()
}

/// The release is in `slot`, with v1 in the other one.
fn is_planned(plan: &Ended, tag: &str, slot: &str) {
    let data = plan.data();
    assert_eq!(
        (
            &data["tag"],
            &data["slot"],
            &data["previous_tag"],
            &data["previous_slot"]
        ),
        (&tag.into(), &slot.into(), &"v1".into(), &"blue".into()),
        "{data}"
    );
    let gates = data["gates"].as_array().into_iter().flatten();
    assert!(gates.into_iter().all(|gate| gate["ok"] != false), "{data}");
}

#[test]
fn a_plan_while_one_is_paused() -> Result<()> {
    let app = app()?;
    run(&app, "10,50", "1s", &[])?.expect(4)?;
    let plan = app
        .swap(&["to", "--tag", "v3", "--plan"])?
        .run()?
        .expect(0)?;
    is_planned(&plan, "v3", "green");
    let planned = steps(&plan);
    ensure!(
        planned[0].starts_with("take_back the release of 'v2'"),
        "{planned:?}"
    );
    ensure!(planned.contains(&"stop blue".to_owned()), "{planned:?}");

    let args = ["--plan", "--hold", "7s"];
    let plan = run(&app, "10,50", "1s", &args)?.expect(0)?;
    is_planned(&plan, "v2", "green");
    assert_eq!(
        steps(&plan),
        [
            "share 2 of 20 lanes to green",
            "share 10 of 20 lanes to green",
            "repoint green",
            "drain blue",
            "hold blue for 7 s",
            "stop blue"
        ]
    );
    app.swap(&["rollback"])?.run()?.expect(0)?;

    // Lanes that were led elsewhere by hand are mended first.
    fs::remove_file(app.path("run/lanes/03"))?;
    std::os::unix::fs::symlink("../green", app.path("run/lanes/03"))?;
    let plan = app
        .swap(&["to", "--tag", "v3", "--plan"])?
        .run()?
        .expect(0)?;
    is_planned(&plan, "v3", "green");
    assert_eq!(steps(&plan)[0], "mend the lanes, to blue");
    let done = app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
    assert_eq!(done.data()["slot"], "green");
    Ok(())
}

#[test]
fn what_is_said_when_it_goes_on_counts() -> Result<()> {
    let app = app()?;
    let first = ["--hold", "1s", "--drain", "9s", "-"];
    let args = ["canary", "--tag", "v2", "--steps", "10", "--every", "1s"];
    let paused = app.swap(&args)?.args(first);
    paused
        .stdin(backup("20261123T020000Z-7f3a")?)
        .run()?
        .expect(4)?;
    // Too little traffic again: what is said is on disk.
    let more = [
        "--hold", "2s", "--drain", "8s", "--ready", "1m", "--probes", "5", "-",
    ];
    let again = app.swap(&args)?.args(more).args(["--exclusive", "api"]);
    let again = again
        .stdin(backup("20261123T030000Z-7f3b")?)
        .run()?
        .expect(4)?;
    let warnings = again.record["warnings"].to_string();
    for flag in ["--ready", "--probes", "--exclusive"] {
        ensure!(
            warnings.contains(&format!("{flag} is not used")),
            "{warnings}"
        );
    }
    let pending: Value = serde_json::from_slice(&fs::read(app.path("state/swap.json"))?)?;
    assert_eq!(
        (&pending["hold_seconds"], &pending["drain_seconds"]),
        (&2.into(), &8.into())
    );
    assert_eq!(pending["pre_release_set"], "20261123T030000Z-7f3b");

    let ended = run(&app, "10", "3s", &BY_PROBES)?.expect(0)?;
    assert_eq!(ended.data()["pre_release_set"], "20261123T030000Z-7f3b");
    ensure!(
        ended.data()["watch"]["duration_seconds"].as_f64() > Some(1.5),
        "{}",
        ended.record
    );
    Ok(())
}

#[test]
fn what_makes_no_sense_is_refused_before_it_begins() -> Result<()> {
    // It has no access log.
    let app = SlotApp::released()?;
    let users = run(&app, "10", "1s", &["--compare", "users"])?.expect(2)?;
    assert_eq!(users.record["changed"], false);
    for more in [
        ["--error-margin", "NaN"],
        ["--error-margin=-1", "--every=1s"],
        ["--latency-factor", "NaN"],
        ["--latency-factor", "0"],
        ["--min-requests", "0"],
    ] {
        assert_eq!(run(&app, "10", "1s", &more)?.code, 2, "{more:?}");
    }
    assert_eq!(app.running("api")?, ["blue"]);
    Ok(())
}
