//! Which set, which part, where to: what can be said to th-restore.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use th_kit::{Ended, PASSWORD_IN_URL, Server, tree};

use crate::setup::{App, Home, bulk, cluster, files};

/// Returns the items of a list, newest first.
fn items(list: &Ended) -> Result<Vec<Value>> {
    let mut lines: Vec<&str> = list.stdout.lines().collect();
    lines.pop();
    let parsed = lines.into_iter().map(serde_json::from_str);
    Ok(parsed.collect::<Result<_, _>>()?)
}

/// The set that a command of th-restore took.
fn taken(app: &App<'_>, args: &[&str]) -> Result<Value> {
    let ended = app.restore(&[&["show"], args].concat())?.expect(0)?;
    Ok(ended.data()["manifest"]["id"].clone())
}

#[test]
fn a_set_is_named_in_every_way_there_is() -> Result<()> {
    let app = App::new(cluster()?, "named", &bulk(10))?;
    let none = app.restore(&["show", "latest-proven"])?.expect(10)?;
    assert_eq!(none.kind(), "not_found");
    let mut sets = Vec::new();
    for _ in 0..3 {
        sets.push(app.backup()?);
        // Times are of whole seconds.
        thread::sleep(Duration::from_millis(1100));
    }
    assert_eq!(app.store.sets()?, sets);
    assert_eq!(taken(&app, &[])?, *sets[2]);
    assert_eq!(taken(&app, &["latest"])?, *sets[2]);
    assert_eq!(taken(&app, &[&sets[0]])?, *sets[0]);
    assert_eq!(taken(&app, &[&sets[1][..sets[1].len() - 1]])?, *sets[1]);

    // `decode` is not yet a proof that a set can be restored.
    app.restore(&["show", "latest-proven"])?.expect(10)?;
    app.restore(&["verify", &sets[1], "--level", "restore"])?
        .expect(0)?;
    assert_eq!(taken(&app, &["latest-proven"])?, *sets[1]);
    let list = app.restore(&["list"])?.expect(0)?;
    assert_eq!(list.data()["newest"], *sets[2]);
    assert_eq!(list.data()["newest_proven"], *sets[1]);

    for id in &sets {
        let at = app.store.manifest(id)?["started_at"].clone();
        let at = at.as_str().context("no time")?;
        assert_eq!(taken(&app, &["--at", at])?, **id);
    }
    assert_eq!(
        taken(&app, &["--at", "2100-01-01T00:00:00+01:00"])?,
        *sets[2]
    );
    app.restore(&["show", "--at", "2001-01-01T00:00:00Z"])?
        .expect(10)?;

    let common = &sets[0][..9];
    let several = app.restore(&["show", common])?;
    ensure!([2, 10].contains(&several.code), "{}", several.record);
    for id in &sets {
        assert!(several.message().contains(id), "{}", several.message());
    }
    app.restore(&["show", "2"])?.expect(10)?;
    app.restore(&["show", &sets[0], "--at", "2100-01-01T00:00:00Z"])?
        .expect(2)?;
    app.restore(&["show", "--at", "yesterday"])?.expect(2)?;
    // What only looks has changed nothing, and is no part of a chain.
    app.restore(&["list", "-"])?.expect(2)?;
    Ok(())
}

#[test]
fn a_list_says_of_each_set_what_a_person_chooses_by() -> Result<()> {
    let app = App::new(cluster()?, "listed", &bulk(10))?;
    let whole = app.backup()?;
    let tool = app.tool("th-backup")?.args(["--no-db", "--pin"]);
    let of_files = tool.run()?.expect(0)?;
    let list = app.restore(&["list"])?.expect(0)?;
    assert_eq!(
        (list.record["changed"].clone(), list.record["kind"].clone()),
        (json!(false), json!("sets"))
    );
    let items = items(&list)?;
    let [newer, older] = items.as_slice() else {
        anyhow::bail!("{}", list.stdout)
    };
    assert_eq!(newer["id"], of_files.data()["set"]);
    assert_eq!(
        (&newer["database"], &newer["rows"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(
        (&newer["proof"], &newer["pinned"]),
        (&json!("bytes"), &json!(true))
    );
    let manifest = app.store.manifest(&whole)?;
    for (key, value) in [
        ("v", json!(1)),
        ("kind", json!("set")),
        ("id", json!(whole)),
        ("started_at", manifest["started_at"].clone()),
        ("state", json!("readable")),
        ("reason", json!(null)),
        ("environment", json!(null)),
        ("status", json!("complete")),
        ("proof", json!("decode")),
        ("pinned", json!(false)),
        ("tags", json!([])),
        ("database", json!(app.database)),
        ("rows", json!(11)),
        ("files", manifest["files"]["count"].clone()),
    ] {
        assert_eq!(older[key], value, "{key}");
    }
    let stored: u64 = list.data()["stored_bytes"].as_u64().context("no size")?;
    ensure!(stored >= older["stored_bytes"].as_u64().context("no size")?);
    assert_eq!(
        (&list.data()["count"], &list.data()["unreadable_count"]),
        (&json!(2), &json!(0))
    );

    fs::write(app.store.set(&whole).join("manifest.json"), "{")?;
    let list = app.restore(&["list"])?.expect(0)?;
    assert_eq!(list.data()["unreadable_count"], 1);
    let damaged = &self::items(&list)?[1];
    assert_eq!(
        (&damaged["id"], &damaged["state"]),
        (&json!(whole), &json!("unreadable"))
    );
    assert!(damaged["reason"].is_string());
    let shown = app.restore(&["show", &whole])?.expect(14)?;
    assert!(shown.message().contains(&whole), "{}", shown.message());
    Ok(())
}

#[test]
fn show_has_the_whole_manifest_and_proof() -> Result<()> {
    let app = App::new(cluster()?, "shown", &bulk(10))?;
    let set = app.backup()?;
    let shown = app.restore(&["show", &set])?.expect(0)?;
    assert_eq!(shown.data()["manifest"], app.store.manifest(&set)?);
    let proof: Value = serde_json::from_slice(&fs::read(app.store.set(&set).join("proof.json"))?)?;
    assert_eq!(shown.data()["proof"], proof["body"]);
    assert_eq!(
        shown.data()["path"],
        app.store.set(&set).to_string_lossy().into_owned()
    );
    assert_eq!(shown.record["changed"], false);
    Ok(())
}

/// An environment with configuration files, a database and files.
struct Whole {
    home: Home,
    database: String,
    files: tempfile::TempDir,
}

impl Whole {
    fn new() -> Result<Self> {
        let (database, files) = (cluster()?.database_with("whole", &bulk(10))?, files()?);
        let url = cluster()?.url(&database).replace(PASSWORD_IN_URL, "${PW}");
        let home = Home::new(&format!(
            "app = \"a\"\n[env.test]\nroot = \".\"\nenv_file = \".env\"\n\
             [env.test.database]\nurl = \"{url}\"\n\
             [env.test.files]\nuploads = \"{}\"\nconfig = [\".env\", \"conf/app.toml\"]\n\
             [env.test.backup]\nstore = \"store\"\n",
            files.path().display()
        ))?;
        let path = |name| home.path().join(name);
        fs::write(path(".env"), format!("PW='{}'\n", th_kit::PASSWORD))?;
        fs::set_permissions(path(".env"), fs::Permissions::from_mode(0o640))?;
        fs::create_dir(path("conf"))?;
        fs::write(path("conf/app.toml"), "answer = 42\n")?;
        home.backup(&[])?.expect(0)?;
        Ok(Self {
            home,
            database,
            files,
        })
    }

    fn restore(&self, args: &[&str]) -> Result<Ended> {
        self.home.tool("th-restore")?.args(args).run()
    }

    fn read(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.home.path().join(name))?)
    }

    fn word(&self) -> Result<String> {
        cluster()?.psql(&self.database, "SELECT word FROM marker")
    }
}

#[test]
fn only_the_configuration_comes_back_and_goes_again() -> Result<()> {
    let whole = Whole::new()?;
    let secrets = whole.read(".env")?;
    let changed = format!("{secrets}# newer\n");
    fs::write(whole.home.path().join(".env"), &changed)?;
    fs::write(whole.home.path().join("conf/other"), "not in the set")?;
    fs::remove_file(whole.home.path().join("conf/app.toml"))?;
    cluster()?.psql(&whole.database, "UPDATE marker SET word = 'live'")?;
    fs::write(whole.files.path().join("none"), "live")?;

    // Not unless it is asked for: it may hold newer secrets.
    let applied = whole.restore(&["apply"])?.expect(0)?;
    assert!(applied.data()["config"].is_null());
    assert_eq!(whole.read(".env")?, changed);
    whole.restore(&["undo"])?.expect(0)?;

    let plan = whole
        .restore(&["apply", "--only", "config", "--plan"])?
        .expect(0)?;
    assert_eq!(plan.record["dry_run"], true);
    assert_eq!(whole.read(".env")?, changed);

    let applied = whole.restore(&["apply", "--only", "config"])?.expect(0)?;
    assert_eq!(whole.read(".env")?, secrets);
    assert_eq!(whole.read("conf/app.toml")?, "answer = 42\n");
    assert_eq!(whole.read("conf/other")?, "not in the set");
    let mode = fs::metadata(whole.home.path().join(".env"))?.mode();
    assert_eq!(mode & 0o777, 0o640);
    let config = &applied.data()["config"];
    assert_eq!(
        (&config["added"], &config["replaced"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (
            whole.word()?,
            fs::read_to_string(whole.files.path().join("none"))?
        ),
        ("live".into(), "live".into())
    );

    whole.restore(&["undo"])?.expect(0)?;
    assert_eq!(whole.read(".env")?, changed);
    assert!(!whole.home.path().join("conf/app.toml").exists());
    whole.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
    assert!(!whole.home.path().join(".th-restore").exists());
    Ok(())
}

#[test]
fn a_part_goes_into_a_directory_that_is_empty() -> Result<()> {
    let whole = Whole::new()?;
    let original = tree(whole.files.path())?;
    let beside = tempfile::tempdir()?;
    let path = |name: &str| beside.path().join(name);
    fs::write(whole.files.path().join("none"), "live")?;
    fs::write(whole.home.path().join("conf/app.toml"), "live")?;
    fs::create_dir(path("files"))?;
    for part in ["files", "config"] {
        let into = path(part).to_string_lossy().into_owned();
        let args = ["apply", "--only", part, "--into", &into];
        let plan = whole
            .restore(&[&args[..], &["--plan"]].concat())?
            .expect(0)?;
        assert_eq!(plan.record["dry_run"], true);
        let applied = whole.restore(&args)?.expect(0)?;
        assert_eq!(applied.data()["undoable"], false);
        // It is not empty any longer.
        let before = tree(beside.path())?;
        let refused = whole.restore(&args)?.expect(13)?;
        assert_eq!(refused.kind(), "gate");
        assert!(!refused.record["error"]["hint"].is_null());
        assert!(tree(beside.path())? == before, "it was touched");
    }
    assert!(tree(&path("files"))? == original, "the files differ");
    let config = tree(&path("config"))?;
    let names: Vec<_> = config
        .keys()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, [".env", "conf", "conf/app.toml"]);
    assert_eq!(
        fs::read_to_string(path("config/conf/app.toml"))?,
        "answer = 42\n"
    );
    // What is live is as it was, and there is nothing to take back.
    assert_eq!(fs::read_to_string(whole.files.path().join("none"))?, "live");
    assert_eq!(whole.read("conf/app.toml")?, "live");
    whole.restore(&["undo"])?.expect(10)?;
    Ok(())
}

#[test]
fn flags_that_do_not_fit_together_are_refused() -> Result<()> {
    let whole = Whole::new()?;
    let nowhere = whole.home.path().join("nowhere");
    let into = nowhere.to_string_lossy().into_owned();
    let table = ["--into", &into, "--table", "public.marker"];
    for args in [
        &["apply", "--into", "x"][..],
        &["apply", "--only", "everything"],
        &["apply", "--only", "db", "--table", "public.marker"],
        &[&["apply", "--only", "files"][..], &table].concat(),
        &[&["apply", "--only", "config"][..], &table].concat(),
        &["apply", "--only", "db", "--into", "x", "--table", "marker"],
        &["gc", "--older-than", "long"],
        &["verify", "--level", "certain"],
        &["verify", "--level", "app"],
    ] {
        let ended = whole.restore(args)?;
        ended.expect(2).with_context(|| args.join(" "))?;
        assert!(!nowhere.exists(), "{args:?}");
    }
    Ok(())
}

#[test]
fn a_set_without_the_part_is_not_found() -> Result<()> {
    let app = App::new(cluster()?, "parts", &bulk(10))?;
    app.tool("th-backup")?.args(["--no-db"]).run()?.expect(0)?;
    app.restore(&["apply", "--only", "db"])?.expect(10)?;
    app.restore(&["apply", "--only", "config"])?.expect(10)?;
    app.tool("th-backup")?
        .args(["--no-files"])
        .run()?
        .expect(0)?;
    app.restore(&["apply", "--only", "files"])?.expect(10)?;
    Ok(())
}

#[test]
fn gc_drops_what_is_old_enough_and_nothing_else() -> Result<()> {
    let app = App::new(cluster()?, "kept", &bulk(10))?;
    app.backup()?;
    fs::write(app.files.path().join("none"), "live")?;
    app.restore(&["apply"])?.expect(0)?;
    let theirs = app
        .server
        .database(&format!("{}_before_the_move", app.database))?;
    assert_eq!(app.beside()?.len(), 2);

    let kept = app.restore(&["gc"])?.expect(0)?;
    assert_eq!(
        (&kept.data()["removed"], &kept.data()["kept"]),
        (&json!([]), &json!(2))
    );
    assert_eq!(kept.record["changed"], false);
    let plan = app
        .restore(&["gc", "--older-than", "0s", "--plan"])?
        .expect(0)?;
    assert_eq!(plan.data()["removed"].as_array().map(Vec::len), Some(2));
    assert_eq!(app.beside()?.len(), 2);

    let dropped = app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
    let removed = dropped.data()["removed"].as_array().context("no list")?;
    let whats: Vec<&str> = removed
        .iter()
        .filter_map(|it| it["what"].as_str())
        .collect();
    assert_eq!(whats, ["database", "files"]);
    assert!(
        removed.iter().all(|it| it["bytes"].as_u64() > Some(0)),
        "{}",
        dropped.record
    );
    assert_eq!(app.beside()?, [theirs]);
    assert!(!app.files.path().join(".th-restore").exists());
    let gone = app.restore(&["undo"])?.expect(10)?;
    assert!(!gone.message().is_empty());
    let again = app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
    assert_eq!(again.record["changed"], false);
    Ok(())
}
