//! Old logs go, and images, databases and logs until there is room.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use th_kit::{Ended, Tool};

use crate::prune_docker_shelf::{Shelf, item, items, sh};

/// The root of production, with a line of th.toml that says which files are logs.
pub(crate) fn root(shelf: &Shelf, logs: &str) -> Result<PathBuf> {
    let config = shelf.dir.path().join("th.toml");
    let mut text = fs::read_to_string(&config)?;
    text.push_str(&format!(
        "[env.production.files]\nuploads = \"uploads\"\nconfig = [\"app.log.1\"]\n\
         [env.production.retention]\nlogs = [{logs}]\n"
    ));
    fs::write(config, text)?;
    Ok(shelf.dir.path().join("production"))
}

/// Writes a file that is so many days old.
pub(crate) fn aged(path: &Path, days: u32, bytes: usize) -> Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, vec![b'x'; bytes])?;
    let touch = Command::new("touch")
        .args(["-d", &format!("{days} days ago")])
        .arg(path)
        .status()?;
    ensure!(touch.success(), "touch");
    Ok(())
}

fn left(root: &Path) -> Result<Vec<String>> {
    let list = sh(
        root,
        "find . -type f ! -path './state/*' | sed 's|^./||' | sort",
    )?;
    Ok(list.lines().map(str::to_owned).collect())
}

#[test]
fn only_old_logs_go_and_of_each_the_newest_stays() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    let root = root(
        &shelf,
        r#""logs/**/*.log*", "uploads/*.log", "*.log.*", "state/j*", "state/r*""#,
    )?;
    for (path, days) in [
        ("logs/app.log", 1),
        ("logs/app.log.1", 20),
        ("logs/app.log.2.gz", 40),
        ("logs/app.log.3.gz", 50),
        // Nothing was written to it for long, and it still is the current one.
        ("logs/error.log", 90),
        ("logs/error.log.1", 95),
        ("logs/deep/a.log.1", 90),
        ("logs/deep/a.log", 80),
        ("logs/notes.txt", 90),
        ("uploads/old.log", 99),
        ("uploads/older.log", 99),
        ("app.log.1", 99),
        ("app.log.2", 98),
        ("state/journal.jsonl.1", 40),
        ("state/journal.jsonl.2", 50),
        ("state/release.json", 90),
    ] {
        aged(&root.join(path), days, 5_000)?;
    }
    let before = left(&root)?;
    let plan = shelf.prune(&["logs", "--plan"])?.expect(0)?;
    assert_eq!(left(&root)?, before);
    let done = shelf.prune(&["logs"])?.expect(0)?;
    assert_eq!(items(&done)?, items(&plan)?);
    let gone: Vec<String> = {
        let left = left(&root)?;
        before
            .into_iter()
            .filter(|name| !left.contains(name))
            .collect()
    };
    assert_eq!(
        gone,
        [
            "logs/app.log.2.gz",
            "logs/app.log.3.gz",
            "logs/deep/a.log.1",
            "logs/error.log.1"
        ]
    );
    assert!(root.join("state/release.json").exists());
    assert!(
        root.join("state/journal.jsonl.1").exists(),
        "the newest of its kind"
    );
    assert!(!root.join("state/journal.jsonl.2").exists());
    let part = &done.data()["parts"][0];
    assert!(part["freed_bytes"].as_u64() >= Some(5 * 5_000), "{part}");
    Ok(())
}

#[test]
fn links_are_not_followed_and_what_is_written_to_stays() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    let root = root(&shelf, r#""logs/**", "linked/*.log""#)?;
    let outside = tempfile::tempdir()?;
    for name in ["a.log", "b.log"] {
        aged(&outside.path().join(name), 99, 10)?;
        aged(&root.join("logs/real").join(name), 99, 10)?;
        aged(&root.join("logs/real").join(format!("{name}.1")), 100, 10)?;
    }
    symlink(outside.path(), root.join("linked"))?;
    symlink(outside.path(), root.join("logs/dir"))?;
    symlink(outside.path().join("a.log"), root.join("logs/file.log"))?;
    let _open = OpenOptions::new()
        .append(true)
        .open(root.join("logs/real/a.log.1"))?;
    let done = shelf.prune(&["logs", "--older-than", "1d"])?.expect(0)?;
    assert!(
        done.record["warnings"].to_string().contains("linked"),
        "{}",
        done.record
    );
    assert_eq!(
        left(&root)?,
        ["logs/real/a.log", "logs/real/a.log.1", "logs/real/b.log"]
    );
    let name = fs::canonicalize(root.join("logs/real/a.log.1"))?;
    let open = item(&done, &name.to_string_lossy())?;
    assert!(
        open["reasons"].to_string().contains("open for writing"),
        "{open}"
    );
    assert_eq!(fs::read_dir(outside.path())?.count(), 2);
    assert!(fs::symlink_metadata(root.join("logs/file.log")).is_ok());
    Ok(())
}

#[test]
fn which_files_are_logs_must_be_said_and_be_below_the_root() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    let ended = shelf.prune(&["logs"])?.expect(2)?;
    assert!(ended.message().contains("retention"), "{}", ended.message());
    for logs in [r#""/var/log/*""#, r#""../*.log""#, r#""logs/[""#] {
        let shelf = Shelf::new(&["production"])?;
        root(&shelf, logs)?;
        shelf.prune(&["logs"])?.expect(2)?;
    }
    Ok(())
}

/// The root on a file system of its own, of 40 MB.
struct Small {
    shelf: Shelf,
    root: PathBuf,
}

impl Small {
    fn new() -> Result<Self> {
        let shelf = Shelf::new(&["production"])?;
        let root = root(&shelf, r#""logs/*.log.*""#)?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=40m", "tmpfs"])
            .arg(&root);
        ensure!(
            mount.status()?.success(),
            "this test needs the right to mount a tmpfs"
        );
        let small = Self { shelf, root };
        for number in 1..=6 {
            let path = small.root.join(format!("logs/app.log.{number}"));
            aged(&path, 40 + number, 5_000_000)?;
        }
        Ok(small)
    }

    fn free(&self, target: &str) -> Result<Ended> {
        self.shelf.prune(&["--target-free", target])
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.root).status();
    }
}

#[test]
fn it_stops_as_soon_as_there_is_room() -> Result<()> {
    let small = Small::new()?;
    for day in 1..=5 {
        small.shelf.add("api", &format!("v{day}"), day)?;
    }
    // There is room already.
    let done = small.free("1MB")?.expect(0)?;
    assert_eq!(
        (done.record["changed"].as_bool(), items(&done)?.len()),
        (Some(false), 0)
    );

    let plan = small
        .shelf
        .prune(&["--target-free", "20MB", "--plan"])?
        .expect(0)?;
    let done = small.free("20MB")?.expect(0)?;
    assert_eq!(items(&done)?, items(&plan)?);
    // 10 of 40 MB were free: two oldest gone make 20.
    let logs = left(&small.root)?;
    assert_eq!(
        logs,
        [
            "logs/app.log.1",
            "logs/app.log.2",
            "logs/app.log.3",
            "logs/app.log.4"
        ]
    );
    let kept = items(&done)?
        .into_iter()
        .filter(|it| it["kept_by"][0] == "target_free");
    assert_eq!(kept.count(), 3, "{}", done.stdout);
    // Docker's disk has room, so the images stay.
    assert_eq!(small.shelf.left()?.len(), 5);
    let disk = &done.data()["disks"][0];
    assert!(
        disk["free_bytes"].as_u64() >= disk["target_free_bytes"].as_u64(),
        "{disk}"
    );
    assert!(
        disk["free_before_bytes"].as_u64() < disk["target_free_bytes"].as_u64(),
        "{disk}"
    );
    Ok(())
}

#[test]
fn when_the_rules_do_not_let_enough_go_the_answer_is_no() -> Result<()> {
    let small = Small::new()?;
    aged(&small.root.join("data"), 99, 9_000_000)?;
    let ended = small.free("90%")?.expect(4)?;
    assert_eq!(ended.kind(), "negative");
    assert_eq!(ended.record["changed"], true, "{}", ended.record);
    assert_eq!(left(&small.root)?, ["data", "logs/app.log.1"]);
    Ok(())
}

#[test]
fn what_failed_is_blamed_before_the_rules() -> Result<()> {
    let small = Small::new()?;
    let config = small.shelf.dir.path().join("th.toml");
    let text = fs::read_to_string(&config)? + "logs_for = \"soon\"\n";
    fs::write(config, text)?;
    let ended = small.free("90%")?.expect(3)?;
    let message = ended.message();
    assert!(message.contains("logs_for"), "{message}");
    assert!(
        message.contains("wanted") && !message.contains("no rule"),
        "{message}"
    );
    Ok(())
}

#[test]
fn what_cannot_be_looked_at_is_no_reason_to_give_up() -> Result<()> {
    let small = Small::new()?;
    let tool = small.shelf.tool("production", &["--target-free", "50%"])?;
    let ended = tool
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .run()?
        .expect(0)?;
    assert!(
        ended.record["warnings"].to_string().contains("docker"),
        "{}",
        ended.record
    );
    assert_eq!(left(&small.root)?.len(), 4);
    Ok(())
}

#[test]
fn a_target_that_makes_no_sense_is_refused() -> Result<()> {
    for target in ["0%", "100%", "20", "much"] {
        let status = Tool::new("th-prune")?
            .args(["--target-free", target])
            .run_unheard()?
            .0;
        assert_eq!(status, 2, "{target}");
    }
    let shelf = Shelf::new(&["production"])?;
    shelf.prune(&[])?.expect(2)?;
    for command in ["images", "logs", "sets"] {
        let ended = shelf.prune(&["--target-free", "99%", command])?.expect(2)?;
        assert!(ended.message().contains("--target-free"), "{command}");
    }
    Ok(())
}
