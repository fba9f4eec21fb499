//! Pruning while others are at work in the store.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use th_kit::{Running, Server};

use crate::prune_sets_store::{BARE, Nights, as_stranger, items, stranger, with};
use crate::setup::{bulk, cluster};

/// Waits until `done`, then stops the process where it is.
fn stop_when(running: &mut Running, mut done: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !done() {
        ensure!(!running.is_over(), "it ended before it could be stopped");
        ensure!(
            start.elapsed() < Duration::from_secs(60),
            "it never came so far"
        );
        thread::sleep(Duration::from_millis(1));
    }
    running.signal("STOP")
}

/// Prunes all but the newest set, from an environment of its own.
fn prune(nights: &Nights<'_>) -> Result<th_kit::Ended> {
    let home = stranger(&nights.app.store, "keep_last = 1\ngrace = 0")?;
    as_stranger("th-prune", &home)?
        .args(["sets"])
        .args(BARE)
        .run()
}

#[test]
fn a_set_that_is_being_written_is_waited_for() -> Result<()> {
    let nights = Nights::new(3)?;
    cluster()?.psql(&nights.app.database, &bulk(20_000))?;
    let mut running = nights.app.tool("th-backup")?.start()?;
    let store = &nights.app.store;
    stop_when(&mut running, || {
        store.incoming().is_ok_and(|names| !names.is_empty())
    })?;
    let before = nights.content()?;
    // In the same environment it is the environment's lock, in another the store's.
    nights.prune(&["--keep-last", "1"])?.expect(11)?;
    let home = stranger(store, "keep_last = 1\ngrace = 0")?;
    let tool = as_stranger("th-prune", &home)?.args(["sets"]).args(BARE);
    let mut waiting = tool.start()?;
    thread::sleep(Duration::from_secs(1));
    assert!(!waiting.is_over());
    assert_eq!(nights.content()?, before);
    running.signal("CONT")?;
    running.wait()?.expect(0)?;
    let ended = waiting.wait()?.expect(0)?;
    assert!(
        ended.stderr.contains("waiting for the store"),
        "{}",
        ended.stderr
    );
    // The backup may still have read the set that it is built upon.
    let again = prune(&nights)?.expect(0)?;
    let purged = with(&ended, "purge")?.len() + with(&again, "purge")?.len();
    assert_eq!(purged, 3);
    assert_eq!(nights.check()?, 1);
    nights.app.restore(&["verify"])?.expect(0)?;
    Ok(())
}

#[test]
fn a_store_that_is_being_pruned_is_waited_for() -> Result<()> {
    let nights = Nights::new(1)?;
    let before = nights.content()?;
    // As a pruner does. It ends with its stdin.
    let mut pruner = Command::new("sh")
        .args(["-c", "exec 9<>\"$0\"; flock 9; echo; read _"])
        .arg(nights.app.store.path().join("store.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut locked = [0];
    let out = pruner.stdout.as_mut().context("no stdout")?;
    out.read_exact(&mut locked)?;
    let mut waiting = nights.app.tool("th-backup")?.start()?;
    thread::sleep(Duration::from_secs(1));
    assert!(!waiting.is_over());
    assert_eq!(nights.content()?, before);
    drop(pruner.stdin.take());
    pruner.wait()?;
    let ended = waiting.wait()?.expect(0)?;
    assert!(
        ended.stderr.contains("waiting for the store"),
        "{}",
        ended.stderr
    );
    Ok(())
}

#[test]
fn a_set_that_is_being_restored_stays_with_all_it_needs() -> Result<()> {
    let nights = Nights::new(3)?;
    let state = nights.app.state()?;
    let oldest = &nights.sets[2];
    let mut running = nights
        .app
        .tool("th-restore")?
        .args(["verify", oldest])
        .start()?;
    let beside = || nights.app.beside().is_ok_and(|names| !names.is_empty());
    stop_when(&mut running, beside)?;
    let plan = nights.prune(&["--keep-last", "1", "--plan"])?.expect(0)?;
    let ended = prune(&nights)?.expect(0)?;
    assert_eq!(with(&ended, "purge")?, nights.sets[1..2].to_vec());
    for ended in [&plan, &ended] {
        let items = items(ended, "prune_set")?;
        assert_eq!(items[2]["blocked_by"][0], "in_use", "{}", ended.stdout);
    }
    running.signal("CONT")?;
    running.wait()?.expect(0)?;
    assert_eq!(nights.check()?, 2);
    // It is the newest proven one now. Once it is not, it goes.
    assert!(with(&prune(&nights)?.expect(0)?, "purge")?.is_empty());
    nights.app.restore(&["verify"])?.expect(0)?;
    assert_eq!(
        with(&prune(&nights)?.expect(0)?, "purge")?,
        std::slice::from_ref(oldest)
    );
    assert_eq!(nights.app.state()?, state);
    Ok(())
}

#[test]
fn two_at_once_do_not_meet() -> Result<()> {
    let nights = Nights::new(4)?;
    let home = stranger(&nights.app.store, "keep_last = 1\ngrace = 0")?;
    let runs: Vec<Running> = (0..6)
        .map(|number| {
            let own = number % 2 == 0;
            let tool = if own {
                nights.tool(&["--keep-last", "1", "--grace", "0"])?
            } else {
                as_stranger("th-prune", &home)?.args(["sets"])
            };
            tool.args(BARE).start()
        })
        .collect::<Result<_>>()?;
    let mut purged = 0;
    for run in runs {
        let ended = run.wait()?;
        ensure!([0, 11].contains(&ended.code), "{}", ended.record);
        purged += ended.data()["purged_count"].as_u64().unwrap_or(0);
    }
    assert_eq!(purged, 3);
    assert_eq!(nights.check()?, 1);
    Ok(())
}

#[test]
fn backups_and_prunings_in_turns_lose_nothing() -> Result<()> {
    let nights = Nights::new(2)?;
    let home = stranger(&nights.app.store, "keep_last = 2\ngrace = 0")?;
    let start = Instant::now();
    let mut pruned = 0;
    while start.elapsed() < Duration::from_secs(8) {
        let backup = nights.app.tool("th-backup")?.start()?;
        let prune = || -> Result<u64> {
            let ended = as_stranger("th-prune", &home)?
                .args(["sets"])
                .args(BARE)
                .run()?
                .expect(0)?;
            Ok(ended.data()["purged_count"].as_u64().unwrap_or(0))
        };
        for _ in 0..6 {
            pruned += prune()?;
        }
        backup.wait()?.expect(0)?;
        nights.check()?;
    }
    assert!(pruned > 0, "nothing was ever pruned");
    nights.app.restore(&["verify"])?.expect(0)?;
    Ok(())
}

#[test]
fn a_lock_that_a_script_holds_is_used() -> Result<()> {
    let nights = Nights::new(2)?;
    let bin = std::env::var("TH_BIN_DIR")?;
    let store = nights.app.store.path();
    let script =
        "mkdir -p \"$1/state\"; exec 9>>\"$1/state/lock\"; flock 9; TH_LOCK_FD=9; export TH_LOCK_FD
        \"$0/th-prune\" sets --store \"$1\" --keep-last 9 --json || exit
        exec 9>&-
        \"$0/th-prune\" sets --store \"$1\" --keep-last 9 --json && exit 1; exit 0";
    let output = Command::new("sh")
        .args(["-c", script, &bin])
        .arg(&store)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    assert!(said.contains("TH_LOCK_FD"), "{said}");
    Ok(())
}
