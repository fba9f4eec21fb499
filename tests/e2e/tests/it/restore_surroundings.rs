//! What surrounds a database's content: its owner, its name, its tablespaces, the space it takes.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use th_kit::{Cluster, ContainerServer, Server, Tmpfs, Tool};

use crate::backup_failures::wait_for;
use crate::setup::{App, bulk, cluster, postgres15, postgres17};

#[test]
fn the_live_owner_and_settings_are_carried_over() -> Result<()> {
    let app = App::new(cluster()?, "carried", &bulk(10))?;
    let set = app.backup()?;
    let name = &app.database;
    app.server.psql(
        "postgres",
        &format!(
            "CREATE ROLE {name}_owner; ALTER DATABASE {name} OWNER TO {name}_owner;
             ALTER DATABASE {name} SET work_mem = '7MB'; ALTER DATABASE {name} CONNECTION LIMIT 33;
             GRANT TEMPORARY ON DATABASE {name} TO {name}_owner WITH GRANT OPTION;
             REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; COMMENT ON DATABASE {name} IS 'now'"
        ),
    )?;
    let around = format!(
        "SELECT pg_get_userbyid(datdba), datconnlimit,
         (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a), shobj_description(oid, 'pg_database'),
         (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0)
         FROM pg_database d WHERE datname = '{name}'"
    );
    let before = app.server.psql("postgres", &around)?;
    ensure!(before.starts_with(&format!("{name}_owner|33|")), "{before}");
    app.restore(&["apply", &set])?.expect(0)?;
    assert_eq!(app.server.psql("postgres", &around)?, before);
    Ok(())
}

#[test]
fn the_scratch_of_a_database_with_a_long_name_is_swept() -> Result<()> {
    let app = App::new(cluster()?, &"l".repeat(57), &bulk(20_000))?;
    ensure!(app.database.len() >= 59, "{}", app.database);
    let set = app.backup()?;
    let scratch = || -> Result<Vec<String>> {
        let names = app.server.databases()?.into_iter();
        Ok(names
            .filter(|name| name.starts_with("llll") && *name != app.database)
            .collect())
    };
    for (name, args) in [
        ("th-restore", &["verify"][..]),
        ("th-backup", &["--prove", "content"]),
    ] {
        let mut running = app.tool(name)?.args(args).start()?;
        wait_for(|| Ok(running.is_over() || !scratch()?.is_empty()))?;
        let left = scratch()?;
        ensure!(running.kill(), "{name} was over");
        ensure!(
            left.len() == 1 && left[0].contains("_verify_2"),
            "{name}: {left:?}"
        );
        let swept = app.tool(name)?.args(args).run()?.expect(0)?;
        let warnings = swept.record["warnings"].to_string();
        ensure!(warnings.contains(&left[0]), "{name}: {warnings}");
        ensure!(scratch()?.is_empty(), "{name}: {:?}", scratch()?);
    }
    // A restore has to be recognised by its name, which has no room for that.
    app.restore(&["apply", &set])?.expect(13)?;
    Ok(())
}

#[test]
fn a_name_that_would_be_cut_off_is_refused() -> Result<()> {
    let app = App::new(cluster()?, "cut", &bulk(10))?;
    app.backup()?;
    let into = "i".repeat(64);
    let args = ["apply", "--only", "db", "--into", &into];
    let message = app.restore(&args)?.expect(13)?.message();
    ensure!(message.contains("63 bytes"), "{message}");
    let cut = into[..63].to_owned();
    ensure!(!app.server.databases()?.contains(&cut), "it was made");
    Ok(())
}

#[test]
fn a_table_in_a_tablespace() -> Result<()> {
    let server = ContainerServer::start(15)?;
    for name in ["fast", "Odd \"disk\";"] {
        let dir = format!("/var/lib/postgresql/{}", name.len());
        server.psql(
            "postgres",
            &format!("COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; mkdir {dir}'"),
        )?;
        let name = name.replace('"', "\"\"");
        server.psql(
            "postgres",
            &format!("CREATE TABLESPACE \"{name}\" LOCATION '{dir}'"),
        )?;
    }
    let sql = bulk(100)
        + "ALTER TABLE bulk SET TABLESPACE fast;
           CREATE INDEX ON bulk (note) TABLESPACE \"Odd \"\"disk\"\";\";";
    let app = App::new(&server, "spaced", &sql)?;
    let set = app.backup()?;
    let verified = app.restore(&["verify", &set])?.expect(0)?;
    assert_eq!(verified.record["warnings"], json!([]));
    let applied = app.restore(&["apply", &set])?.expect(0)?;
    assert_eq!(applied.record["warnings"], json!([]));
    let spaces = "SELECT string_agg(coalesce(spcname, '-'), ' ' ORDER BY relname)
                  FROM pg_class c LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
                  WHERE relname IN ('bulk', 'bulk_note_idx', 'marker')";
    assert_eq!(server.psql(&app.database, spaces)?, "fast Odd \"disk\"; -");
    // Elsewhere they are missing.
    let (other, name) = (postgres15()?, format!("{}_elsewhere", app.database));
    let tool = other.target(app.store.target(Tool::new("th-restore")?), &name);
    let applied = tool.args(["apply", &set]).run()?.expect(0)?;
    let warnings = applied.record["warnings"].to_string();
    ensure!(
        warnings.contains("lacks the tablespaces") && warnings.contains("fast"),
        "{warnings}"
    );
    assert_eq!(other.psql(&name, spaces)?, "- - -");
    Ok(())
}

/// The database's own, where its tables go by default, and how it sorts.
#[test]
fn the_default_tablespace_and_the_rules_of_icu_are_kept() -> Result<()> {
    let server = ContainerServer::start(17)?;
    let dir = "/var/lib/postgresql/fast";
    let make = format!("COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; mkdir {dir}'");
    server.psql("postgres", &make)?;
    let tablespace = format!("CREATE TABLESPACE fast LOCATION '{dir}'");
    server.psql("postgres", &tablespace)?;
    let app = App::new(&server, "default", "")?;
    let name = &app.database;
    server.psql("postgres", &format!("DROP DATABASE {name}"))?;
    let create = format!(
        "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'
         ICU_RULES '&a < g' TABLESPACE fast"
    );
    server.psql("postgres", &create)?;
    server.psql(name, &bulk(100))?;
    let around = format!(
        "SELECT spcname, daticurules FROM pg_database d
         JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE datname = '{name}'"
    );
    assert_eq!(server.psql("postgres", &around)?, "fast|&a < g");
    let set = app.backup()?;
    let notes = std::fs::read_to_string(app.store.set(&set).join("RESTORE.md"))?;
    ensure!(notes.contains("--tablespace=fast"), "{notes}");
    let plan = app.restore(&["apply", &set, "--plan"])?.expect(0)?;
    assert_eq!(plan.data()["space"][0]["path"], dir, "{}", plan.record);
    app.restore(&["verify", &set])?.expect(0)?;
    app.restore(&["apply", &set])?.expect(0)?;
    assert_eq!(server.psql("postgres", &around)?, "fast|&a < g");
    // Elsewhere it is missing, and told of.
    let (other, name) = (postgres17()?, format!("{name}_elsewhere"));
    let tool = other.target(app.store.target(Tool::new("th-restore")?), &name);
    let applied = tool.args(["apply", &set]).run()?.expect(0)?;
    let warnings = applied.record["warnings"].to_string();
    ensure!(warnings.contains("lacks the tablespaces"), "{warnings}");
    let around = around.replace(&app.database, &name);
    assert_eq!(other.psql("postgres", &around)?, "pg_default|&a < g");
    Ok(())
}

/// The copy would lie beside the live database, on the same file system.
#[test]
fn a_proof_that_would_fill_the_server_is_refused() -> Result<()> {
    let disk = Tmpfs::mount("size=160m")?;
    let server = Cluster::start_on(&disk)?;
    let app = App::new(&server, "full", &bulk(30_000))?;
    let set = app.backup()?;
    server.psql("postgres", "CHECKPOINT")?;
    let dump = app.store.manifest(&set)?["database"]["dump_bytes"]
        .as_u64()
        .context("no size")?;
    // Enough for the rows alone.
    disk.fill(dump * 3 / 2 / 1024)?;
    let ended = app.restore(&["verify", &set])?.expect(13)?;
    ensure!(ended.message().contains("free"), "{}", ended.record);
    assert_eq!(app.beside()?, Vec::<String>::new());
    disk.lighten()?;
    app.restore(&["verify", &set])?.expect(0)?;
    Ok(())
}
