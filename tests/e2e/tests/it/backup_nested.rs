//! A store, or a state directory, among the files that are backed up.

use std::fs;

use anyhow::{Result, ensure};
use th_kit::{Ended, Tool};

use crate::setup::{Home, files};

fn refused(ended: Ended, what: &str) -> Result<()> {
    let ended = ended.expect(2)?;
    assert_eq!(ended.kind(), "config");
    let message = ended.message();
    ensure!(
        message.contains(what) && message.contains("--exclude"),
        "{message}"
    );
    Ok(())
}

#[test]
fn a_store_among_the_files_is_refused_unless_it_is_left_out() -> Result<()> {
    let files = files()?;
    let backup = |args: &[&str]| {
        let tool = Tool::new("th-backup")?.within(files.path());
        tool.args(["--files", ".", "--store", "backups"])
            .args(args)
            .run()
    };
    refused(backup(&[])?, "'backups'")?;
    refused(backup(&["--plan"])?, "'backups'")?;
    ensure!(!files.path().join("backups").exists());
    for pattern in ["backups", "backups/", "backups/**"] {
        backup(&["--exclude", pattern])?.expect(0)?;
    }
    // Its own packs are not among the files.
    let ended = backup(&["--exclude", "backups"])?.expect(0)?;
    assert_eq!(ended.data()["files"]["new_count"], 0, "{}", ended.record);
    Ok(())
}

#[test]
fn the_state_directory_is_no_part_of_the_files_either() -> Result<()> {
    let toml = |exclude: &str| {
        format!(
            "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.files]\nuploads = \".\"\n\
             exclude = [{exclude}]\n[env.p.backup]\nstore = \"backups\"\n"
        )
    };
    let home = Home::new(&toml("\"backups\""))?;
    refused(home.backup(&[])?, "'state'")?;
    fs::write(
        home.path().join("th.toml"),
        toml("\"./state/\", \"backups\""),
    )?;
    home.backup(&[])?.expect(0)?;
    let ended = home.backup(&[])?.expect(0)?;
    // th.toml alone.
    assert_eq!(ended.data()["files"]["count"], 1, "{}", ended.record);
    Ok(())
}
