//! A store that an earlier version made: it is read, proven, restored from and added to for ever.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use th_kit::{Ended, Server, Tool, tree};

use crate::setup::postgres15;

const SETS: [&str; 3] = [
    "20261125T155002Z-e7fe",
    "20261125T155012Z-7ca9",
    "20261125T155021Z-cfc2",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// A copy of the store, with what Git does not keep.
struct Golden {
    dir: TempDir,
}

impl Golden {
    fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        copy(&fixtures().join("store-v1"), &dir.path().join("store"))?;
        fs::create_dir_all(dir.path().join("store/incoming"))?;
        Ok(Self { dir })
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn tool(&self, name: &str) -> Result<Tool> {
        Ok(Tool::new(name)?.args(["--store".as_ref(), self.path().as_os_str()]))
    }

    fn restore(&self, args: &[&str]) -> Result<Ended> {
        self.tool("th-restore")?.args(args).run()
    }

    fn read(&self, set: &str, name: &str) -> Result<Value> {
        let path = self.path().join("sets").join(set).join(name);
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }

    /// Returns the levels that are stored on a set.
    fn levels(&self, set: &str) -> Result<Vec<String>> {
        let proof = self.read(set, "proof.json")?;
        let levels = proof["body"]["levels"].as_array().cloned();
        let names = levels.into_iter().flatten().filter_map(|level| {
            let name = level["level"].as_str()?;
            Some(name.to_owned())
        });
        Ok(names.collect())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(from)? {
        let from = entry?.path();
        let to = to.join(from.file_name().context("no name")?);
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

#[test]
fn it_is_listed_and_shown() -> Result<()> {
    let golden = Golden::new()?;
    let list = golden.restore(&["list"])?.expect(0)?;
    let lines: Vec<&str> = list.stdout.lines().collect();
    let items: Vec<Value> = lines[..3]
        .iter()
        .map(|line| serde_json::from_str(line))
        .collect::<Result<_, _>>()?;
    let of = |key: &str| {
        items
            .iter()
            .rev()
            .map(|item| item[key].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("id"), SETS);
    assert_eq!(of("state"), ["readable", "readable", "readable"]);
    assert_eq!(of("reason"), [json!(null), json!(null), json!(null)]);
    assert_eq!(of("status"), ["complete", "degraded", "complete"]);
    assert_eq!(of("proof"), ["content", "restore", "bytes"]);
    assert_eq!(of("pinned"), [true, false, false]);
    assert_eq!(of("database"), [json!("shop"), json!("shop"), json!(null)]);
    assert_eq!(of("rows"), [json!(22), json!(22), json!(null)]);
    assert_eq!(of("environment"), ["fixture", "fixture", "fixture"]);
    assert_eq!(
        items[2]["tags"][1],
        json!({"name": "note", "value": "a=b, c"})
    );
    assert_eq!(list.data()["newest_proven"], SETS[0]);
    for set in SETS {
        let shown = golden.restore(&["show", set])?.expect(0)?;
        assert_eq!(shown.data()["manifest"], golden.read(set, "manifest.json")?);
        assert_eq!(
            shown.data()["proof"],
            golden.read(set, "proof.json")?["body"]
        );
    }
    Ok(())
}

#[test]
fn its_bytes_hold_and_its_proof_survives() -> Result<()> {
    let golden = Golden::new()?;
    let before = SETS.map(|set| golden.levels(set));
    for set in SETS {
        let verified = golden
            .restore(&["verify", set, "--level", "bytes"])?
            .expect(0)?;
        assert_eq!(verified.data()["differences"], json!([]));
    }
    for (set, before) in SETS.iter().zip(before) {
        assert_eq!(golden.levels(set)?, before?, "{set}");
    }
    Ok(())
}

#[test]
fn its_files_and_configuration_come_back() -> Result<()> {
    let golden = Golden::new()?;
    for (number, set) in (1..).zip(SETS) {
        let to = golden.dir.path().join(format!("files-{number}"));
        let into = to.to_string_lossy().into_owned();
        golden
            .restore(&["apply", set, "--only", "files", "--into", &into])?
            .expect(0)?;
        let sums = fixtures().join(format!("files-{number}.sha256"));
        let check = Command::new("sha256sum")
            .args(["--quiet", "-c"])
            .arg(&sums)
            .current_dir(&to)
            .output()?;
        let said = String::from_utf8_lossy(&check.stdout).into_owned();
        ensure!(check.status.success(), "{set}: {said}");
        let files = tree(&to)?
            .keys()
            .filter(|path| is_file(&to.join(path)))
            .count();
        let wanted = fs::read(&sums)?
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        assert_eq!(files, wanted, "{set}");
        for line in fs::read_to_string(fixtures().join("links.txt"))?.lines() {
            let (link, target) = line.split_once(' ').context("no target")?;
            assert_eq!(fs::read_link(to.join(link))?, Path::new(target));
        }
        let mode = fs::metadata(to.join("2026/11"))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
        assert!(to.join("empty directory").is_dir());
        let time = fs::metadata(to.join("2026/11/1.txt"))?.modified()?;
        let since = time.duration_since(std::time::UNIX_EPOCH)?;
        assert_eq!(since.as_nanos(), 981_173_106_789_012_345);

        let to = golden.dir.path().join(format!("config-{number}"));
        let into = to.to_string_lossy().into_owned();
        golden
            .restore(&["apply", set, "--only", "config", "--into", &into])?
            .expect(0)?;
        assert_eq!(
            fs::read_to_string(to.join("conf/app.toml"))?,
            "answer = 42\n"
        );
        assert_eq!(
            fs::read_to_string(to.join(".env"))?,
            "SECRET=only-for-tests\n"
        );
    }
    Ok(())
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_file())
}

#[test]
fn its_database_comes_back_as_it_was() -> Result<()> {
    let (golden, server) = (Golden::new()?, postgres15()?);
    let role = "CREATE ROLE shop_owner";
    server.psql("postgres", role)?;
    let at = [
        "--container",
        server.name(),
        "--user",
        "postgres",
        "--database",
        "golden_shop",
    ];
    let tool = golden
        .tool("th-restore")?
        .args(at)
        .args(["apply", SETS[0], "--only", "db"]);
    let applied = tool.run()?.expect(0)?;
    assert_eq!(applied.data()["proof"], "content", "{}", applied.record);
    for (query, wanted) in [
        (
            "SELECT count(*) || ' ' || sum(share)::numeric(9, 6) FROM documents",
            "20 30.000000",
        ),
        (
            "SELECT t FROM \"Größe & Maß\".\"odd, name\" WHERE t IS NOT NULL",
            "tab\tnew\nline",
        ),
        (
            "SELECT convert_from(lo_get(4242), 'UTF8')",
            "a large object",
        ),
        ("SELECT count(*) FROM recent", "10"),
        ("SELECT nextval('documents_id_seq')", "21"),
        ("SHOW work_mem", "8MB"),
    ] {
        assert_eq!(server.psql("golden_shop", query)?, wanted, "{query}");
    }
    let beside = ["apply", SETS[1], "--only", "db", "--into", "golden_beside"];
    let tool = golden.tool("th-restore")?.args(at).args(beside);
    let applied = tool.run()?.expect(0)?;
    assert_eq!(applied.data()["proof"], "content", "{}", applied.record);
    Ok(())
}

#[test]
fn a_backup_goes_on_from_it() -> Result<()> {
    let golden = Golden::new()?;
    let files = golden.dir.path().join("files");
    let into = files.to_string_lossy().into_owned();
    golden
        .restore(&["apply", SETS[2], "--only", "files", "--into", &into])?
        .expect(0)?;
    let tool = golden.tool("th-backup")?.args(["--files", &into]);
    let made = tool.run()?.expect(0)?;
    // All of it is in the packs that are there.
    assert_eq!(made.data()["files"]["new_bytes"], 0, "{}", made.record);
    let id = made.data()["set"].as_str().context("no set")?;
    let manifest = golden.read(id, "manifest.json")?;
    assert_eq!(manifest["previous"]["id"], SETS[2]);
    assert_eq!(manifest["files"]["packs"].as_array().map(Vec::len), Some(3));
    Ok(())
}
