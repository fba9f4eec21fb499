//! A damaged set is never restored.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use th_kit::Moments;

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

/// Damages the file at `path` in one way, lets `check` look, and mends it.
fn damaged(
    path: &Path,
    how: &str,
    bytes: &[u8],
    check: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    let whole = fs::read(path)?;
    fs::write(path, bytes)?;
    let checked = check(&format!("{} {how}", path.display()));
    fs::write(path, whole)?;
    checked
}

/// A random bit of a file, and a random length that is less.
fn flip_and_cut(whole: &[u8], moments: &mut Moments) -> Result<(Vec<u8>, Vec<u8>)> {
    let bit = moments.below(whole.len() as u64 * 8) as usize;
    let mut flipped = whole.to_vec();
    *flipped.get_mut(bit / 8).context("empty")? ^= 1 << (bit % 8);
    let end = moments.below(whole.len() as u64) as usize;
    Ok((flipped, whole[..end].to_vec()))
}

/// An environment with a file of each kind in its sets.
fn app_with_all() -> Result<(App<'static>, String)> {
    let app = App::new(cluster()?, "damaged", &bulk(300))?;
    let set = app.backup()?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    Ok((app, set))
}

#[test]
fn a_flipped_bit_or_a_missing_end_is_never_restored() -> Result<()> {
    let (app, set) = app_with_all()?;
    let live = app.state()?;
    let mut survived = Vec::new();
    let mut moments = Moments::new();
    for path in parts(&app, &set)? {
        // It says only what was proven: a restore proves again.
        if path.ends_with("proof.json") {
            continue;
        }
        moments.each(1, |_, moments| {
            let whole = fs::read(&path)?;
            let (flipped, cut) = flip_and_cut(&whole, moments)?;
            for (how, bytes) in [("flipped", flipped), ("cut", cut), ("emptied", Vec::new())] {
                damaged(&path, how, &bytes, |what| {
                    let ended = app.restore(&["apply", &set])?;
                    if ended.code != 14 {
                        survived.push(format!("{what}: exit {} {}", ended.code, ended.message()));
                    }
                    if app.server.psql(&app.database, "SELECT word FROM marker")? != "live" {
                        survived.push(format!("{what}: it was put live"));
                        app.restore(&["undo"])?.expect(0)?;
                    }
                    Ok(())
                })?;
            }
            fs::remove_file(&path)?;
            let ended = app.restore(&["apply", &set])?;
            if ![10, 14].contains(&ended.code) {
                survived.push(format!("{} gone: exit {}", path.display(), ended.code));
                let _ = app.restore(&["undo"])?;
            }
            fs::write(&path, &whole)?;
            Ok(())
        })?;
    }
    assert!(survived.is_empty(), "{}", survived.join("\n"));
    assert!(app.state()? == live, "what is live was touched");
    assert_eq!(app.beside()?, Vec::<String>::new());
    app.restore(&["apply", &set])?.expect(0)?;
    Ok(())
}

#[test]
fn a_verification_notices_damage_in_every_file() -> Result<()> {
    let (app, set) = app_with_all()?;
    for path in parts(&app, &set)? {
        Moments::new().each(5, |_, moments| {
            let (flipped, cut) = flip_and_cut(&fs::read(&path)?, moments)?;
            for (how, bytes) in [("flipped", flipped), ("cut", cut)] {
                damaged(&path, how, &bytes, |what| {
                    let ended = app.restore(&["verify", &set, "--level", "bytes"])?;
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    ensure!(ended.code == 14, "{what}: {}", ended.record);
                    // A manifest that cannot be read is named by its set.
                    let named = ended.record.to_string();
                    ensure!(
                        named.contains(&*name) || named.contains(&set),
                        "{what}: {named}"
                    );
                    Ok(())
                })?;
            }
            Ok(())
        })?;
    }
    app.restore(&["verify", &set, "--level", "bytes"])?
        .expect(0)?;
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
