//! Which part of a set, and where to.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use anyhow::{Context, Result};
use serde_json::json;
use th_kit::{Ended, PASSWORD_IN_URL, Server, tree};

use crate::setup::{App, Home, bulk, cluster, files};

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
        if part == "files" {
            // Directories and links are counted too.
            assert_eq!(applied.data()[part]["added"], json!(original.len()));
        }
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
    let none = whole.restore(&["undo"])?.expect(10)?;
    assert!(!none.record["error"]["hint"].is_null(), "{}", none.record);
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
    let ended = app
        .tool("th-backup")?
        .args(["--no-files"])
        .run()?
        .expect(0)?;
    // Named: it may be of the same second as the one before.
    let set = ended.data()["set"].as_str().unwrap_or_default();
    app.restore(&["apply", "--only", "files", set])?
        .expect(10)?;
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
    assert!(!gone.record["error"]["hint"].is_null(), "{}", gone.record);
    let again = app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
    assert_eq!(again.record["changed"], false);
    Ok(())
}

#[test]
fn gc_drops_what_it_can_and_says_what_it_could_not() -> Result<()> {
    let app = App::new(cluster()?, "stays", &bulk(10))?;
    app.backup()?;
    app.restore(&["apply"])?.expect(0)?;
    app.restore(&["apply"])?.expect(0)?;
    let beside = app.beside()?;
    assert_eq!(beside.len(), 2);
    // A database with a subscription cannot be dropped.
    app.server.psql(
        &beside[1],
        "CREATE SUBSCRIPTION stays CONNECTION 'dbname=nowhere' PUBLICATION nothing
         WITH (connect = false, slot_name = NONE)",
    )?;
    let gc = || app.restore(&["gc", "--older-than", "0s"]);
    let ended = gc()?.expect(3)?;
    assert_eq!(ended.record["changed"], true, "{}", ended.record);
    assert_eq!(ended.data()["removed"][0]["name"], *beside[0]);
    assert!(ended.message().contains(&beside[1]), "{}", ended.message());
    assert_eq!(app.beside()?, beside[1..]);
    // Now there is nothing that it could drop.
    let ended = gc()?.expect(1)?;
    assert_eq!(ended.record["changed"], false, "{}", ended.record);
    app.server.psql(&beside[1], "DROP SUBSCRIPTION stays")?;
    gc()?.expect(0)?;
    assert_eq!(app.beside()?, Vec::<String>::new());
    Ok(())
}
