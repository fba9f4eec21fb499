//! Stores of many nights: real sets, made to look older than they are.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use th_kit::{Ended, Store, Tool};

use crate::setup::{App, cluster};

/// Switches off every floor that can be.
pub(crate) const BARE: [&str; 8] = [
    "--min-keep",
    "0",
    "--min-age",
    "0",
    "--max-delete",
    "100%",
    "--stale-after",
    "0",
];

/// A store with a set for each of the last nights, and the app it is of.
pub(crate) struct Nights<'a> {
    pub(crate) app: App<'a>,
    /// The sets, newest first.
    pub(crate) sets: Vec<String>,
}

impl Nights<'static> {
    /// Backs the app up `count` times, a file of its own each time, and dates the sets one day
    /// after the other until today.
    pub(crate) fn new(count: i64) -> Result<Self> {
        let app = App::new(
            cluster()?,
            "nights",
            "CREATE TABLE t (x int); INSERT INTO t VALUES (1)",
        )?;
        let mut sets = Vec::new();
        for night in (0..count).rev() {
            // Of each night there is a file that only its set has. That of the first night makes up
            // most of the pack that holds the files of all nights.
            let length = if night == count - 1 {
                2_000_000
            } else {
                40_000
            };
            fs::write(app.files.path().join("tonight.bin"), noise(night, length))?;
            let id = app.backup()?;
            sets.insert(0, redate(&app.store, &id, night * 24 * 60)?);
        }
        Ok(Self { app, sets })
    }
}

impl Nights<'_> {
    /// th-prune sets on the store.
    pub(crate) fn tool(&self, args: &[&str]) -> Result<Tool> {
        Ok(self
            .app
            .store
            .target(Tool::new("th-prune")?)
            .args(["sets"])
            .args(args))
    }

    /// Prunes with every floor off, and `args`.
    pub(crate) fn prune(&self, args: &[&str]) -> Result<Ended> {
        self.tool(args)?.args(BARE).run()
    }

    /// Returns the names of sets, of what is in the trash, and of packs.
    pub(crate) fn content(&self) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for dir in ["sets", "trash", "packs", "incoming"] {
            for entry in fs::read_dir(self.app.store.path().join(dir))
                .into_iter()
                .flatten()
            {
                found.insert(format!("{dir}/{}", entry?.file_name().to_string_lossy()));
            }
        }
        Ok(found)
    }

    /// Returns the ids in the trash.
    pub(crate) fn trash(&self) -> Result<Vec<String>> {
        let content = self.content()?;
        let ids = content.iter().filter_map(|name| {
            let name = name.strip_prefix("trash/")?;
            Some(name.split_once('.')?.0.to_owned()).filter(|id| id.contains('Z'))
        });
        Ok(ids.collect())
    }

    /// Checks every byte of every set, with th-restore.
    pub(crate) fn check(&self) -> Result<usize> {
        let sets = self.app.store.sets()?;
        for id in &sets {
            self.app
                .restore(&["verify", id, "--level", "bytes"])?
                .expect(0)
                .with_context(|| id.clone())?;
        }
        Ok(sets.len())
    }
}

/// Bytes that do not compress.
fn noise(seed: i64, length: usize) -> Vec<u8> {
    let mut state = (seed as u32).wrapping_mul(2_654_435_761).wrapping_add(1);
    let bytes = (0..length).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    });
    bytes.collect()
}

/// Makes a set look `minutes` old, and returns its new id.
pub(crate) fn redate(store: &Store, id: &str, minutes: i64) -> Result<String> {
    let at = date(&format!("-{minutes} minutes"))?;
    let new = format!("{}{}", at.replace([':', '-'], ""), &id[16..]);
    let to = store.set(&new);
    fs::rename(store.set(id), &to)?;
    let mut manifest = store.manifest(&new)?;
    manifest["id"] = json!(new);
    manifest["started_at"] = json!(at);
    manifest["finished_at"] = json!(at);
    seal(store, &new, &manifest)?;
    Ok(new)
}

/// Writes a manifest with sums and proof that belong to it.
pub(crate) fn seal(store: &Store, id: &str, manifest: &Value) -> Result<()> {
    let dir = store.set(id);
    let bytes = serde_json::to_vec_pretty(manifest)?;
    let sha256 = hash(&bytes)?;
    let objects = manifest["objects"].as_array().context("no objects")?;
    let mut sums = String::new();
    for object in objects {
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        sums += &format!("{}  {}\n", text("sha256"), text("name"));
    }
    sums += &format!("{sha256}  manifest.json\n");
    fs::write(dir.join("manifest.json"), bytes)?;
    fs::write(dir.join("SHA256SUMS"), sums)?;
    let path = dir.join("proof.json");
    let proof: Value = serde_json::from_slice(&fs::read(&path)?)?;
    prove(&path, id, &sha256, &proof["body"]["levels"])
}

/// Makes a set look proven to `level`.
pub(crate) fn prove_to(store: &Store, id: &str, level: &str) -> Result<()> {
    let dir = store.set(id);
    let sha256 = hash(&fs::read(dir.join("manifest.json"))?)?;
    let levels = json!([{
        "level": level, "at": "2026-01-01T00:00:00Z", "tool": "th-restore", "version": "0.1.0",
        "duration_seconds": 1.0,
    }]);
    prove(&dir.join("proof.json"), id, &sha256, &levels)
}

fn prove(path: &PathBuf, id: &str, sha256: &str, levels: &Value) -> Result<()> {
    // In the order that the writer has.
    let body = format!("{{\"set\":\"{id}\",\"manifest_sha256\":\"{sha256}\",\"levels\":{levels}}}");
    let seal = hash(body.as_bytes())?;
    fs::write(path, format!("{{\"sha256\":\"{seal}\",\"body\":{body}}}\n"))?;
    Ok(())
}

fn hash(bytes: &[u8]) -> Result<String> {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no stdin")?.write_all(bytes)?;
    let output = child.wait_with_output()?;
    Ok(String::from_utf8(output.stdout)?[..64].to_owned())
}

/// Returns a time relative to now, as `date` reads it.
pub(crate) fn date(relative: &str) -> Result<String> {
    let output = Command::new("date")
        .args(["-u", "-d", relative, "+%Y-%m-%dT%H:%M:%SZ"])
        .output()?;
    ensure!(output.status.success(), "date refuses {relative}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Returns the items that a run printed, of one kind.
pub(crate) fn items(ended: &Ended, kind: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    for line in ended.stdout.lines() {
        let value: Value = serde_json::from_str(line)?;
        if value["kind"] == kind {
            items.push(value);
        }
    }
    Ok(items)
}

/// Returns the sets with which a run did `action`.
pub(crate) fn with(ended: &Ended, action: &str) -> Result<Vec<String>> {
    let items = items(ended, "prune_set")?;
    let with = items.iter().filter(|item| item["action"] == action);
    Ok(with.map(|item| text(&item["set"])).collect())
}

/// Returns a string of a record.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An environment `test` whose store is another's, so that only the store's own locks count.
pub(crate) fn stranger(store: &Store, retention: &str) -> Result<TempDir> {
    let dir = tempfile::tempdir()?;
    let toml = format!(
        "app = \"a\"\n[env.test]\nroot = \".\"\n[env.test.backup]\nstore = \"{}\"\n\
         [env.test.retention]\n{retention}\n",
        store.path().display()
    );
    fs::write(dir.path().join("th.toml"), toml)?;
    Ok(dir)
}

/// A tool that acts on the environment of [`stranger`].
pub(crate) fn as_stranger(name: &str, home: &TempDir) -> Result<Tool> {
    let config = home.path().join("th.toml");
    Ok(Tool::new(name)?
        .args(["--config".as_ref(), config.as_os_str()])
        .args(["-e", "test"]))
}
