//! Servers, client programs and images of other versions than the set's.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use th_kit::{Server, Tool};

use crate::restore_content::{forge, list};
use crate::setup::{App, bulk, cluster, postgres15, postgres17};

/// Programs that say they are of other versions, first on `$PATH`.
struct Programs(TempDir);

impl Programs {
    fn new(versions: &[(&str, &str)]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        for (program, version) in versions {
            let path = dir.path().join(program);
            let text = format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n");
            fs::write(&path, text)?;
            fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        }
        Ok(Self(dir))
    }

    fn first(&self, tool: Tool) -> Tool {
        let path = std::env::var("PATH").unwrap_or_default();
        tool.env("PATH", &format!("{}:{path}", self.0.path().display()))
    }
}

#[test]
fn a_pg_restore_that_is_too_old_is_not_the_sets_fault() -> Result<()> {
    let server = postgres17()?;
    let app = App::new(server, "client", &bulk(10))?;
    let set = app.backup()?;
    let url = server.url(&app.database)?;
    let programs = Programs::new(&[("pg_restore", "14.2"), ("pg_dump", "17.1")])?;
    let tool = |name: &str| -> Result<Tool> {
        let tool = app.store.target(Tool::new(name)?);
        Ok(programs.first(tool.env("TH_DATABASE_URL", &url)))
    };
    for tool in [
        tool("th-restore")?.args(["verify", &set]),
        tool("th-restore")?.args(["verify", &set, "--level", "decode"]),
        tool("th-restore")?.args(["apply", &set, "--only", "db"]),
        tool("th-restore")?.args(["apply", &set, "--only", "db", "--into", "client_other"]),
        tool("th-backup")?.args(["--prove", "content"]),
    ] {
        let message = tool.run()?.expect(13)?.message();
        ensure!(
            message.contains("pg_restore is version 14, older than the server's 17")
                && message.contains("postgresql-client-17"),
            "{message}"
        );
    }
    assert_eq!(app.store.sets()?, std::slice::from_ref(&set));
    assert_eq!(app.beside()?, Vec::<String>::new());
    // It is not needed for this.
    tool("th-restore")?
        .args(["verify", &set, "--level", "bytes"])
        .run()?
        .expect(0)?;
    Ok(())
}

/// From 17 on it begins with a setting that an older server does not know.
#[test]
fn a_pg_restore_that_is_too_new_is_not_the_sets_fault() -> Result<()> {
    let server = postgres15()?;
    let app = App::new(server, "too_new", &bulk(10))?;
    let set = app.backup()?;
    let url = server.url(&app.database)?;
    let programs = Programs::new(&[("pg_restore", "17.2")])?;
    // Debian's own of the server's version are what would be taken.
    let debian = Path::new("/usr/lib/postgresql");
    for program in ["psql", "pg_dump", "pg_dumpall"] {
        let mut versions = fs::read_dir(debian)?.flatten();
        let path = versions.find_map(|version| {
            let path = version.path().join("bin").join(program);
            path.exists().then_some(path)
        });
        fs::copy(path.context(program)?, programs.0.path().join(program))?;
    }
    let tool = |name: &str| -> Result<Tool> {
        let tool = app.store.target(Tool::new(name)?);
        let tool = programs.first(tool.env("TH_DATABASE_URL", &url));
        Ok(tool.hiding(debian))
    };
    let live = app.state()?;
    for tool in [
        tool("th-restore")?.args(["verify", &set]),
        tool("th-restore")?.args(["apply", &set, "--only", "db"]),
        tool("th-restore")?.args(["apply", &set, "--only", "db", "--into", "too_new_other"]),
        tool("th-backup")?.args(["--prove", "content"]),
    ] {
        let ended = tool.run()?.expect(13)?;
        let message = ended.record["error"].to_string();
        ensure!(
            message.contains("pg_restore is version 17")
                && message.contains("postgresql-client-15"),
            "{message}"
        );
    }
    ensure!(app.state()? == live, "what is live was touched");
    assert_eq!(app.beside()?, Vec::<String>::new());
    assert_eq!(app.store.sets()?, std::slice::from_ref(&set));
    let ended = tool("th-backup")?.args(["--prove", "bytes"]).run()?;
    let warnings = ended.expect(0)?.record["warnings"].to_string();
    ensure!(
        warnings.contains("no restore works from this host"),
        "{warnings}"
    );
    Ok(())
}

#[test]
fn a_set_of_a_newer_server_is_refused_before_anything() -> Result<()> {
    let app = App::new(postgres17()?, "newer", &bulk(10))?;
    let set = app.backup()?;
    let old = postgres15()?;
    let live = old.database_with(&app.database, &bulk(1))?;
    let before = old.databases()?;
    for args in [
        &["apply", &set, "--only", "db"][..],
        &["apply", &set, "--only", "db", "--into", "newer_other"],
        &["verify", &set],
        &["verify", &set, "--level", "decode"],
    ] {
        let tool = old.target(app.store.target(Tool::new("th-restore")?), &live);
        let message = tool.args(args).run()?.expect(13)?.message();
        ensure!(
            message.contains("PostgreSQL 17; the server is 15"),
            "{args:?}: {message}"
        );
        let made: Vec<String> = old.databases()?;
        let beside = made.iter().filter(|name| name.starts_with("newer_"));
        ensure!(
            beside.eq(before.iter().filter(|name| name.starts_with("newer_"))),
            "{args:?}: {made:?}"
        );
    }
    Ok(())
}

#[test]
fn a_set_of_an_older_server_is_restored_into_a_newer_one() -> Result<()> {
    let app = App::new(postgres15()?, "older", &bulk(300))?;
    let set = app.backup()?;
    let new = postgres17()?;
    let live = format!("{}_moved", app.database);
    let tool =
        || -> Result<Tool> { Ok(new.target(app.store.target(Tool::new("th-restore")?), &live)) };
    tool()?.args(["apply", &set]).run()?.expect(0)?;
    let count = "SELECT count(*) || ' ' || max(note) FROM bulk";
    assert_eq!(
        new.psql(&live, count)?,
        app.server.psql(&app.database, count)?
    );
    tool()?.args(["verify", &set]).run()?.expect(0)?;
    Ok(())
}

#[test]
fn an_extension_that_the_server_lacks_is_named() -> Result<()> {
    let app = App::new(cluster()?, "extension", &bulk(10))?;
    let set = app.backup()?;
    forge(&app, &set, |manifest| {
        let print = &mut manifest["database"]["fingerprint"];
        let unheard_of = json!({"name": "unheard_of", "version": "1.0"});
        list(print, "extensions").push(unheard_of);
    })?;
    let live = app.state()?;
    for args in [
        &["apply", &set][..],
        &["apply", &set, "--only", "db", "--into", "extension_other"],
        &["verify", &set],
    ] {
        let message = app.restore(args)?.expect(13)?.message();
        ensure!(
            message.contains("lacks the extensions unheard_of"),
            "{message}"
        );
        ensure!(app.state()? == live, "what is live was touched");
        ensure!(app.beside()?.is_empty(), "{:?}", app.beside()?);
    }
    Ok(())
}

#[test]
fn an_image_that_is_gone_is_named_when_another_stands_in() -> Result<()> {
    let app = App::new(postgres15()?, "image", &bulk(10))?;
    let set = app.backup()?;
    let gone = format!("sha256:{}", "0".repeat(64));
    let verified = app.restore(&["verify", &set])?.expect(0)?;
    assert_eq!(verified.record["warnings"], json!([]));
    forge(&app, &set, |manifest| {
        manifest["database"]["image"]["id"] = json!(gone);
    })?;
    let verified = app.restore(&["verify", &set])?.expect(0)?;
    let warnings = verified.record["warnings"].to_string();
    ensure!(
        warnings.contains(&gone) && warnings.contains("proved with postgres:15"),
        "{warnings}"
    );
    Ok(())
}

#[test]
fn a_role_that_is_no_superuser() -> Result<()> {
    let server = cluster()?;
    let app = App::new(server, "plain", "SELECT")?;
    let role = format!("{}_owner", app.database);
    let name = &app.database;
    server.psql(
        "postgres",
        &format!(
            "CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'plain-th'; ALTER DATABASE {name} OWNER TO {role}"
        ),
    )?;
    let url = server
        .url_with("plain-th", name)
        .replace("postgres://postgres:", &format!("postgres://{role}:"));
    server.psql(name, &format!("SET ROLE {role}; {}", bulk(200)))?;
    let tool = |name: &str| -> Result<Tool> {
        Ok(app
            .store
            .target(Tool::new(name)?)
            .env("TH_DATABASE_URL", &url))
    };
    let made = tool("th-backup")?.args(["--prove", "content"]).run()?;
    let made = made.expect(0)?;
    let warnings = made.record["warnings"].to_string();
    ensure!(warnings.contains("no superuser"), "{warnings}");
    let set = made.data()["set"].as_str().context("no set")?.to_owned();
    let original = app.state()?.0;
    server.psql(name, "UPDATE marker SET word = 'changed'; DROP TABLE bulk")?;
    tool("th-restore")?.args(["apply", &set]).run()?.expect(0)?;
    ensure!(app.state()?.0 == original, "the databases differ");
    tool("th-restore")?.args(["undo"]).run()?.expect(0)?;
    assert_eq!(server.psql(name, "SELECT word FROM marker")?, "changed");
    Ok(())
}
