//! A damaged set is never restored.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::setup::{App, bulk, cluster};

/// Every file that a set consists of.
fn parts(app: &App<'_>, set: &str) -> Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for dir in [app.store.set(set), app.store.path().join("packs")] {
        for entry in fs::read_dir(dir)? {
            parts.push(entry?.path());
        }
    }
    parts.sort();
    Ok(parts)
}

/// Whether a restore reads the file. SHA256SUMS is for people; proof.json says only what was proven.
fn is_restored(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name != "SHA256SUMS" && name != "proof.json")
}

#[test]
fn one_bit_or_a_missing_end_is_caught_in_every_file() -> Result<()> {
    let app = App::new(cluster()?, "damaged", &bulk(300))?;
    let set = app.backup()?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    let live = app.state()?;
    let mut survived = Vec::new();
    for path in parts(&app, &set)?
        .into_iter()
        .filter(|path| is_restored(path))
    {
        let whole = fs::read(&path)?;
        let middle = whole.len() / 2;
        let mut flipped = whole.clone();
        *flipped.get_mut(middle).context("empty")? ^= 1;
        let damages = [
            ("flipped", flipped),
            ("truncated", whole[..middle].to_vec()),
            ("emptied", Vec::new()),
        ];
        for (how, bytes) in damages {
            fs::write(&path, &bytes)?;
            let ended = app.restore(&["apply", &set])?;
            if ended.code != 14 {
                let name = path.display();
                survived.push(format!(
                    "{name} {how}: exit {} {}",
                    ended.code,
                    ended.message()
                ));
            }
            if app.server.psql(&app.database, "SELECT word FROM marker")? != "live" {
                survived.push(format!("{} {how}: it was put live", path.display()));
                app.restore(&["undo"])?.expect(0)?;
            }
        }
        fs::remove_file(&path)?;
        let ended = app.restore(&["apply", &set])?;
        if ![10, 14].contains(&ended.code) {
            survived.push(format!("{} gone: exit {}", path.display(), ended.code));
            let _ = app.restore(&["undo"])?;
        }
        fs::write(&path, &whole)?;
    }
    assert!(survived.is_empty(), "{}", survived.join("\n"));
    assert!(app.state()? == live, "what is live was touched");
    assert_eq!(app.beside()?, Vec::<String>::new());
    app.restore(&["apply", &set])?.expect(0)?;
    Ok(())
}

#[test]
fn a_set_of_a_newer_format_is_refused_clearly() -> Result<()> {
    let app = App::new(cluster()?, "newer", &bulk(10))?;
    let set = app.backup()?;
    let path = app.store.set(&set).join("manifest.json");
    let mut manifest = app.store.manifest(&set)?;
    manifest["format"] = 99.into();
    manifest["unheard_of"] = true.into();
    fs::write(&path, manifest.to_string())?;
    let ended = app.restore(&["apply", &set])?.expect(13)?;
    assert_eq!(ended.kind(), "format");
    assert!(ended.message().contains("99"), "{}", ended.message());
    let listed = app.restore(&["list"])?.expect(0)?;
    assert!(listed.stdout.contains("newer"), "{}", listed.stdout);
    Ok(())
}
