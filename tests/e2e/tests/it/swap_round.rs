//! Releases that go well: the first, the next, and the way back.

use std::os::unix::fs::symlink;
use std::process::Command;

use anyhow::{Result, ensure};
use th_kit::SlotApp;

use crate::backup_failures::wait_for;

#[test]
fn a_first_release_a_second_one_and_the_way_back() -> Result<()> {
    let app = SlotApp::new()?;
    let first = app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(first.data()["slot"], "blue");
    assert_eq!(first.data()["receipt"]["failed"], 0);
    assert_eq!(app.answer()?, "v1 blue");

    let second = app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    let receipt = &second.data()["receipt"];
    assert_eq!(
        (&receipt["failed"], &receipt["cut"]),
        (&0.into(), &0.into()),
        "{receipt}"
    );
    assert!(receipt["requests"].as_u64() > Some(50), "{receipt}");
    assert!(receipt["first_new_ms"].as_u64() < Some(500), "{receipt}");
    assert!(receipt["drain_seconds"].as_f64() < Some(5.0), "{receipt}");
    assert_eq!(
        (app.answer()?, app.lanes()?),
        ("v2 green".into(), vec!["green".into()])
    );
    assert_eq!(app.running("api")?, ["green"]);
    app.swap(&["status"])?.run()?.expect(0)?;

    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(back.data()["booted"], true);
    assert_eq!(app.answer()?, "v1 blue");
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

/// A slot and lanes that were laid by hand, before there was th-swap.
#[test]
fn what_ran_before_the_first_release_is_gone_back_to() -> Result<()> {
    let app = SlotApp::new()?;
    let mut compose = Command::new("docker");
    compose
        .args(["compose", "-p", &format!("{}-test-blue", app.name()), "-f"])
        .arg(app.path("compose.yml"))
        .args(["up", "-d"])
        .envs([("TH_SLOT", "blue"), ("TH_TAG", "v3")])
        .env("TH_ROOT", app.path(""))
        .env("TH_ENV_FILE", app.path(".env"));
    ensure!(compose.output()?.status.success(), "compose failed");
    for number in 0..20 {
        symlink(
            "../blue",
            app.path("run/lanes").join(format!("{number:02}")),
        )?;
    }
    wait_for(|| Ok(app.answer()? == "v3 blue"))?;
    app.swap(&["status"])?.run()?.expect(0)?;

    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(ended.data()["previous_tag"], "v3");
    assert_eq!(ended.data()["receipt"]["failed"], 0);
    assert_eq!(app.running("api")?, ["green"]);
    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(
        (&back.data()["tag"], app.answer()?),
        (&"v3".into(), "v3 blue".into())
    );
    Ok(())
}
