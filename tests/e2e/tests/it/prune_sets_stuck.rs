//! What dead runs have left and nobody can remove: told of each night, and in nobody's way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::prune_sets_store::{Nights, with};

/// A file that not even root can remove, until this is dropped.
struct Stuck(PathBuf);

impl Stuck {
    fn new(path: &Path) -> Result<Self> {
        chattr("+i", path)?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        let _ = chattr("-i", &self.0);
    }
}

fn chattr(flag: &str, path: &Path) -> Result<()> {
    let status = Command::new("chattr").arg(flag).arg(path).status()?;
    ensure!(
        status.success(),
        "chattr {flag} {}: this test needs root, and a file system that knows attributes",
        path.display()
    );
    Ok(())
}

#[test]
fn one_thing_that_cannot_be_removed_stops_neither_pruning_nor_backups() -> Result<()> {
    let nights = Nights::new(4)?;
    let store = &nights.app.store;
    let [.., third, oldest] = &nights.sets[..] else {
        anyhow::bail!("{:?}", nights.sets);
    };
    let part = store.path().join("incoming/20200101T000000Z-0001.part");
    fs::create_dir(&part)?;
    fs::write(part.join("half"), "")?;
    let _part = Stuck::new(&part.join("half"))?;

    // One goes to the trash with a file that stays there.
    let dump = store.set(oldest).join("db.dump.zst");
    chattr("+i", &dump)?;
    let ended = nights.prune(&["--keep-last", "3", "--grace", "0"])?;
    let gone = store.path().join(format!("trash/{oldest}.gone"));
    let _gone = Stuck::new(&gone.join("db.dump.zst"))?;
    let ended = ended.expect(3)?;
    assert!(ended.stderr.contains(&*part.to_string_lossy()));

    // The next night it is left alone, and all else goes on.
    let ended = nights
        .prune(&["--keep-last", "2", "--grace", "0"])?
        .expect(3)?;
    assert_eq!(with(&ended, "purge")?, std::slice::from_ref(third));
    assert_eq!(ended.data()["failed_count"], 2, "{}", ended.stdout);
    for stuck in [&part, &gone] {
        let told = ended.stderr.contains(&*stuck.to_string_lossy());
        assert!(told, "{} in {}", stuck.display(), ended.stderr);
    }
    nights.app.backup()?;
    Ok(())
}
