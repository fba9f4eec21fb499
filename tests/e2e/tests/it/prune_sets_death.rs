//! Pruning that is killed before any step, on a full disk, or whose store goes away.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use th_kit::{Tmpfs, Tool};

use crate::prune_sets_store::{BARE, Nights};

/// The system calls that take something away or put something in its place. strace counts each by
/// itself.
const STEPS: [&str; 5] = [
    "/^rename",
    "/^unlink$",
    "/^unlinkat$",
    "/^rmdir",
    "/^symlink",
];

/// Runs th-prune on `store` under strace, which does `inject`: calls and what befalls them.
fn prune(store: &Path, inject: &str, args: &[&str]) -> Result<Output> {
    let bin = std::env::var("TH_BIN_DIR").context("TH_BIN_DIR is not set")?;
    Ok(Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg(format!("inject={inject}"))
        .arg(fs::canonicalize(bin)?.join("th-prune"))
        .args([
            "sets",
            "--keep-last",
            "2",
            "--grace",
            "0",
            "--json",
            "--store",
        ])
        .arg(store)
        .args(BARE)
        .args(args)
        .current_dir("/")
        .output()?)
}

/// Lets a run be.
const HARMLESS: &str = "/^rename:delay_enter=0";

fn record(output: &Output) -> Result<Value> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().last().context("no record")?;
    Ok(serde_json::from_str(last)?)
}

/// Checks every byte of every set, and returns their ids.
fn whole(store: &Path) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(store.join("sets"))? {
        let id = entry?.file_name().to_string_lossy().into_owned();
        let tool = Tool::new("th-restore")?.args(["--store".as_ref(), store.as_os_str()]);
        tool.args(["verify", &id, "--level", "bytes"])
            .run()?
            .expect(0)?;
        ids.push(id);
    }
    ids.sort();
    Ok(ids)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").args([from, to]).status()?;
    ensure!(copied.success(), "cannot copy the store");
    Ok(())
}

/// Returns the names of everything in the store but its state.
fn names(store: &Path) -> Result<Vec<String>> {
    let output = Command::new("find")
        .args([
            ".", "-path", "./state", "-prune", "-o", "-printf", "%P %l\n",
        ])
        .current_dir(store)
        .output()?;
    let mut names: Vec<String> = (String::from_utf8(output.stdout)?.lines())
        .map(str::to_owned)
        .collect();
    names.sort();
    Ok(names)
}

#[test]
fn kill_9_before_any_step_loses_nothing_and_the_next_run_finishes() -> Result<()> {
    let nights = Nights::new(4)?;
    let dir = tempfile::tempdir()?;
    let (good, store) = (dir.path().join("good"), dir.path().join("store"));
    copy(&nights.app.store.path(), &good)?;
    let output = prune(&good, HARMLESS, &[])?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // All of it: sets, a pack that goes, one that is written anew.
    let data = record(&output)?["data"].clone();
    for count in [
        "purged_count",
        "packs_deleted_count",
        "packs_rewritten_count",
    ] {
        ensure!(data[count].as_u64() > Some(0), "{count}: {data}");
    }
    let wanted = names(&good)?;
    let kept: Vec<String> = nights.sets[..2].iter().rev().cloned().collect();
    let mut steps = 0;
    for call in STEPS {
        for step in 1.. {
            copy(&nights.app.store.path(), &store)?;
            let output = prune(&store, &format!("{call}:signal=KILL:when={step}"), &[])?;
            if output.status.success() {
                break;
            }
            let at = || format!("{call}, step {step}");
            let left = whole(&store).with_context(at)?;
            ensure!(
                kept.iter().all(|id| left.contains(id)),
                "{}: {left:?}",
                at()
            );
            let again = prune(&store, HARMLESS, &[])?;
            let said = String::from_utf8_lossy(&again.stderr);
            ensure!(again.status.success(), "{}: {said}", at());
            ensure!(names(&store)? == wanted, "{}: {:?}", at(), names(&store)?);
            whole(&store).with_context(at)?;
            steps += 1;
        }
    }
    ensure!(steps > 20, "there were only {steps} steps");
    Ok(())
}

#[test]
fn steps_that_fail_are_told_and_the_rest_is_done() -> Result<()> {
    let nights = Nights::new(4)?;
    let dir = tempfile::tempdir()?;
    let store = dir.path().join("store");
    let fails = |call: &'static str, steps: u32| (1..=steps).map(move |step| (call, step));
    let fails = fails("/^rename", 5)
        .chain(fails("/^unlinkat", 3))
        .chain(fails("/^symlink", 1));
    for (call, step) in fails {
        copy(&nights.app.store.path(), &store)?;
        let output = prune(&store, &format!("{call}:error=EIO:when={step}"), &[])?;
        let record = record(&output)?;
        assert_eq!(output.status.code(), Some(3), "{call} {step}: {record}");
        assert!(
            record["data"]["failed_count"].as_u64() > Some(0),
            "{record}"
        );
        whole(&store).with_context(|| format!("{call} {step}"))?;
        let again = prune(&store, HARMLESS, &[])?;
        ensure!(
            again.status.success(),
            "{}",
            String::from_utf8_lossy(&again.stderr)
        );
        assert_eq!(whole(&store)?.len(), 2);
    }
    // Nothing works: nothing is changed.
    copy(&nights.app.store.path(), &store)?;
    let before = names(&store)?;
    let output = prune(&store, "/^(rename|unlink|symlink):error=EROFS", &[])?;
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(record(&output)?["changed"], false);
    let mut after = names(&store)?;
    after.retain(|name| name.trim() != "trash");
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn a_store_that_goes_away_is_no_loss() -> Result<()> {
    let nights = Nights::new(4)?;
    let dir = tempfile::tempdir()?;
    let (store, aside) = (dir.path().join("store"), dir.path().join("aside"));
    copy(&nights.app.store.path(), &store)?;
    let output = thread::scope(|scope| {
        // Slow enough to take the store away in the middle.
        let run = scope.spawn(|| prune(&store, "/^rename:delay_enter=300000", &[]));
        let start = Instant::now();
        while fs::read_dir(store.join("sets"))?.count() == 4 {
            ensure!(start.elapsed() < Duration::from_secs(60), "nothing goes");
            thread::sleep(Duration::from_millis(5));
        }
        fs::rename(&store, &aside)?;
        run.join().map_err(|_| anyhow::anyhow!("the run died"))?
    })?;
    assert_eq!(output.status.code(), Some(3), "{}", record(&output)?);
    assert!(!store.exists());
    fs::rename(&aside, &store)?;
    whole(&store)?;
    ensure!(prune(&store, HARMLESS, &[])?.status.success());
    assert_eq!(whole(&store)?.len(), 2);
    Ok(())
}

#[test]
fn a_full_disk_can_be_pruned() -> Result<()> {
    let nights = Nights::new(4)?;
    let disk = Tmpfs::mount("size=8m")?;
    let store = disk.path().join("store");
    copy(&nights.app.store.path(), &store)?;
    let fill = || {
        let mut dd = Command::new("dd");
        dd.args(["if=/dev/zero", "bs=4k", "status=none"]);
        dd.arg(format!("of={}", disk.path().join("filler").display()))
            .output()
    };
    fill()?;
    let run = |args: &[&str]| {
        let tool = Tool::new("th-prune")?.args(["--store".as_ref(), store.as_os_str()]);
        tool.args(["sets", "--keep-last", "2"])
            .args(BARE)
            .args(args)
            .run()
    };
    let elsewhere = tempfile::tempdir()?;
    let whole = || {
        // Where there is room to write down the proof.
        let copied = elsewhere.path().join("store");
        copy(&store, &copied)?;
        whole(&copied)
    };
    // To the trash, for which nothing must be written.
    let ended = run(&[])?.expect(0)?;
    assert_eq!(ended.data()["deleted_count"], 2);
    assert_eq!(whole()?.len(), 2);
    // A pack cannot be written anew without room; it stays as it is, and what can go does.
    let ended = run(&["--grace", "0"])?;
    assert_eq!(ended.data()["purged_count"], 2, "{}", ended.record);
    assert_eq!(whole()?.len(), 2);
    // With the room that was made, all is done.
    fs::remove_file(disk.path().join("filler"))?;
    run(&["--grace", "0"])?.expect(0)?;
    assert_eq!(whole()?.len(), 2);
    Ok(())
}

#[test]
fn a_signal_stops_it_between_two_steps() -> Result<()> {
    let nights = Nights::new(4)?;
    let dir = tempfile::tempdir()?;
    let store = dir.path().join("store");
    copy(&nights.app.store.path(), &store)?;
    let output = prune(&store, "/^rename:signal=TERM:when=2", &[])?;
    let record = record(&output)?;
    assert_eq!(record["error"]["exit"], 143, "{record}");
    assert_eq!(record["changed"], true, "{record}");
    assert_eq!(whole(&store)?.len(), 3);
    ensure!(prune(&store, HARMLESS, &[])?.status.success());
    assert_eq!(whole(&store)?.len(), 2);
    Ok(())
}

#[test]
fn what_dead_runs_left_is_named() -> Result<()> {
    let nights = Nights::new(2)?;
    let store = nights.app.store.path();
    let left = [
        "incoming/20200101T000000Z-0001.part",
        "trash/20200101T000000Z-0002.gone",
    ];
    for dir in left {
        fs::create_dir_all(store.join(dir))?;
    }
    let file = store.join("packs/.th-tmp-x");
    fs::write(&file, "half")?;
    let ended = nights.prune(&["--keep-last", "9"])?.expect(0)?;
    let warnings = ended.record["warnings"].to_string();
    for name in left.into_iter().chain(["packs/.th-tmp-x"]) {
        assert!(warnings.contains(name), "no {name} in {warnings}");
        assert!(!store.join(name).exists(), "{name}");
    }
    assert_eq!(ended.record["changed"], false, "{}", ended.record);
    Ok(())
}
