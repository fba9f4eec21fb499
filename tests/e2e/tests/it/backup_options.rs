//! The options of th-backup, each by what it does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use th_kit::{PASSWORD_IN_URL, Server, Store, Tool};

use crate::backup_space::noise;
use crate::setup::{App, Home, backup, bulk, cluster};

/// Returns how long a phase of a run took, in seconds.
fn seconds(data: &Value, phase: &str) -> Result<f64> {
    let phases = data["phases"].as_array().context("no phases")?;
    let found = phases.iter().find(|it| it["name"] == phase);
    let found = found.with_context(|| format!("no phase {phase}"))?;
    found["duration_seconds"].as_f64().context("no duration")
}

#[test]
fn a_bandwidth_is_kept_to_by_the_dump_and_the_files() -> Result<()> {
    let sql = "CREATE TABLE wide AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 1000);";
    let app = App::new(cluster()?, "slow", sql)?;
    noise(&app.files.path().join("noise"), 2)?;
    let tool = app.tool("th-backup")?.args(["--bandwidth", "1M"]);
    let ended = tool.run()?.expect(0)?;
    let files = seconds(ended.data(), "files")?;
    ensure!((1.8..4.5).contains(&files), "the files took {files} s");
    // 1 MB of dump, then 2 MB and some of files.
    let both = seconds(ended.data(), "dump")? + files;
    let bytes = ended.data()["database"]["dump_bytes"]
        .as_f64()
        .context("no size")?
        + ended.data()["files"]["total_bytes"]
            .as_f64()
            .context("no size")?;
    let wanted = bytes / f64::from(1 << 20);
    ensure!(
        (wanted * 0.8..wanted * 1.6).contains(&both),
        "{both} s, not {wanted} s"
    );
    Ok(())
}

#[test]
fn a_bad_value_is_a_usage_error() -> Result<()> {
    for args in [
        ["--bandwidth", "0"],
        ["--bandwidth", "fast"],
        ["--tag", "word"],
        ["--prove", "everything"],
        ["--compression", "zstd:99"],
        ["--exclude", "a[b"],
        ["--lock-wait", "soon"],
    ] {
        let store = Store::new()?;
        let tool = backup(cluster()?, "postgres", &store)?.args(args);
        tool.run()?.expect(2).with_context(|| args.join(" "))?;
        ensure!(!store.path().exists(), "{args:?}");
    }
    Ok(())
}

/// Returns the paths in the listing of a set.
fn listed(store: &Store, set: &str) -> Result<BTreeSet<String>> {
    let output = Command::new("zstd")
        .args(["-dcq"])
        .arg(store.set(set).join("files.jsonl.zst"))
        .output()?;
    let lines = String::from_utf8(output.stdout)?;
    lines
        .lines()
        .map(|line| {
            let entry: Value = serde_json::from_str(line)?;
            Ok(entry["path"].as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

/// Writes a word into files of every kind that is excluded below.
fn write_all(root: &Path, word: &str) -> Result<()> {
    for path in [
        "keep",
        "drop.tmp",
        "a/drop.tmp",
        "a/keep",
        "cache/x",
        "b/cache/y",
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, word)?;
    }
    Ok(())
}

#[test]
fn what_is_excluded_is_not_in_the_set() -> Result<()> {
    let (store, files) = (Store::new()?, tempfile::tempdir()?);
    write_all(files.path(), "first")?;
    let tool = store.target(Tool::new("th-backup")?);
    let tool = tool.args(["--files".as_ref(), files.path().as_os_str()]);
    let exclude = ["--exclude", "**/*.tmp", "--exclude", "cache"];
    let ended = tool.args(exclude).run()?.expect(0)?;
    let set = ended.data()["set"].as_str().context("no set")?;
    let wanted = ["a", "a/keep", "b", "b/cache", "b/cache/y", "keep"].map(str::to_owned);
    assert_eq!(listed(&store, set)?, BTreeSet::from(wanted));
    assert_eq!(ended.data()["files"]["count"], 3);
    Ok(())
}

/// Backs files up without those that th.toml or the flag excludes, restores, and returns what is in
/// `path` then, which was changed meanwhile.
fn restored_over(path: &str) -> Result<String> {
    let home = Home::new(
        "app = \"a\"\n[env.test]\nroot = \".\"\n[env.test.files]\nuploads = \"files\"\n\
         exclude = [\"**/*.tmp\", \"cache\"]\n[env.test.backup]\nstore = \"store\"\n",
    )?;
    let root = home.path().join("files");
    write_all(&root, "first")?;
    home.backup(&["--exclude", "b"])?.expect(0)?;
    write_all(&root, "second")?;
    home.tool("th-restore")?.args(["apply"]).run()?.expect(0)?;
    Ok(fs::read_to_string(root.join(path)).unwrap_or_default())
}

#[test]
fn what_the_configuration_excludes_is_not_touched_by_a_restore() -> Result<()> {
    for (path, word) in [
        ("keep", "first"),
        ("a/keep", "first"),
        ("a/drop.tmp", "second"),
        ("cache/x", "second"),
    ] {
        assert_eq!(restored_over(path)?, word, "{path}");
    }
    Ok(())
}

#[test]
fn what_a_flag_excluded_is_not_touched_by_a_restore() -> Result<()> {
    assert_eq!(restored_over("b/cache/y")?, "second");
    Ok(())
}

#[test]
fn tags_and_a_pin_are_shown_by_list_and_show() -> Result<()> {
    let app = App::new(cluster()?, "tagged", "CREATE TABLE t ()")?;
    let tool = app.tool("th-backup")?;
    let args = ["--tag", "release=1.2", "--tag", "why=a=b, c", "--pin"];
    let ended = tool.args(args).run()?.expect(0)?;
    let tags = json!([{"name": "release", "value": "1.2"}, {"name": "why", "value": "a=b, c"}]);
    assert_eq!(
        (&ended.data()["tags"], &ended.data()["pinned"]),
        (&tags, &json!(true))
    );
    let list = app.restore(&["list"])?.expect(0)?;
    let first = list.stdout.lines().next().context("no item")?;
    let item: Value = serde_json::from_str(first)?;
    assert_eq!((&item["tags"], &item["pinned"]), (&tags, &json!(true)));
    let shown = app.restore(&["show"])?.expect(0)?;
    let manifest = &shown.data()["manifest"];
    assert_eq!(
        (&manifest["tags"], &manifest["pinned"]),
        (&tags, &json!(true))
    );
    Ok(())
}

#[test]
fn each_level_is_reached_and_stored_with_those_below() -> Result<()> {
    let levels = ["bytes", "decode", "restore", "content"];
    let app = App::new(cluster()?, "levels", &bulk(50))?;
    let tool = app.tool("th-backup")?.args(["--prove", "none"]);
    let ended = tool.run()?.expect(0)?;
    assert!(ended.data()["proof"].is_null());
    let shown = app.restore(&["show"])?.expect(0)?;
    assert!(shown.data()["proof"].is_null(), "{}", shown.record);
    for (index, level) in levels.iter().enumerate() {
        let tool = app.tool("th-backup")?.args(["--prove", level]);
        let ended = tool.run()?.expect(0)?;
        assert_eq!(ended.data()["proof"], *level);
        let set = ended.data()["set"].as_str().context("no set")?;
        let shown = app.restore(&["show", set])?.expect(0)?;
        let stored = shown.data()["proof"]["levels"].as_array();
        let stored = stored.context("no levels")?;
        let names: Vec<&str> = stored
            .iter()
            .filter_map(|it| it["level"].as_str())
            .collect();
        assert_eq!(names, levels[..=index]);
        assert!(stored.iter().all(|it| it["tool"] == "th-backup"));
    }
    assert_eq!(app.beside()?, Vec::<String>::new());
    Ok(())
}

/// An environment whose app answers by `query`.
fn home(database: &str, query: &str) -> Result<Home> {
    let url = cluster()?.url(database).replace(PASSWORD_IN_URL, "${PW}");
    let home = Home::new(&format!(
        "app = \"a\"\n[env.test]\nroot = \".\"\nenv_file = \".env\"\n\
         [env.test.database]\nurl = \"{url}\"\n\
         [env.test.backup]\nstore = \"store\"\napp_query = \"{query}\"\n"
    ))?;
    let env_file = format!("PW='{}'\n", th_kit::PASSWORD);
    fs::write(home.path().join(".env"), env_file)?;
    Ok(home)
}

#[test]
fn the_app_itself_has_the_last_word() -> Result<()> {
    let database = cluster()?.database_with("app", &bulk(50))?;
    let yes = home(&database, "SELECT count(*) = 50 FROM bulk")?;
    let ended = yes.backup(&["--prove", "app"])?.expect(0)?;
    assert_eq!(ended.data()["proof"], "app");
    for query in ["SELECT count(*) = 51 FROM bulk", "SELECT 1 FROM nowhere"] {
        let no = home(&database, query)?;
        let ended = no.backup(&["--prove", "app"])?.expect(14)?;
        assert_eq!(ended.data()["proof"], "content", "{}", ended.record);
        assert!(ended.message().contains(query), "{}", ended.message());
    }
    Ok(())
}

/// Exit status 2 promises that nothing was changed, so this has to be seen before anything is done.
#[test]
fn the_level_app_without_a_query_is_refused_at_once() -> Result<()> {
    let app = App::new(cluster()?, "noquery", "CREATE TABLE t ()")?;
    let tool = app.tool("th-backup")?.args(["--prove", "app"]);
    let ended = tool.run()?.expect(2)?;
    assert!(ended.message().contains("app_query"), "{}", ended.message());
    assert_eq!(app.store.sets()?, Vec::<String>::new());
    Ok(())
}
