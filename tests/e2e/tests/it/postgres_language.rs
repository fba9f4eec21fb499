//! A server that answers in German: nothing is taken from its words.

use anyhow::{Result, ensure};
use th_kit::{Cluster, PASSWORD, Server};

use crate::setup::{App, Home, bulk, files};

#[test]
fn a_database_that_was_dropped_comes_back() -> Result<()> {
    let server = Cluster::start_in_german()?;
    let app = App::new(&server, "dropped", &bulk(10))?;
    app.backup()?;
    server.psql("postgres", &format!("DROP DATABASE {}", app.database))?;
    app.tool("th-backup")?.run()?.expect(10)?;
    app.restore(&["apply", "--plan"])?.expect(0)?;
    app.restore(&["apply"])?.expect(0)?;
    let word = server.psql(&app.database, "SELECT word FROM marker")?;
    assert_eq!(word, "original");
    // And one that is closed is told from one that is not there.
    let closed = format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", app.database);
    server.psql("postgres", &closed)?;
    app.tool("th-backup")?.run()?.expect(12)?;
    Ok(())
}

#[test]
fn what_the_role_may_not_do_voids_no_proof() -> Result<()> {
    let server = Cluster::start_in_german()?;
    let app = App::new(&server, "denied", &bulk(10))?;
    let role = "CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
                CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted();";
    server.psql(
        &app.database,
        &format!("CREATE ROLE small LOGIN CREATEDB PASSWORD '{PASSWORD}'; {role}"),
    )?;
    let owner = format!("ALTER DATABASE {} OWNER TO small", app.database);
    server.psql("postgres", &owner)?;
    let set = app.backup()?;
    app.restore(&["verify", &set])?.expect(0)?;
    let url = server.url(&app.database).replace("//postgres:", "//small:");
    for command in ["verify", "apply"] {
        let tool = app.tool("th-restore")?.env("TH_DATABASE_URL", &url);
        let ended = tool.args([command, &set]).run()?.expect(13)?;
        let error = ended.record["error"].to_string();
        ensure!(error.contains("Berechtigung"), "{error}");
        ensure!(error.contains("SET lc_messages = 'C'"), "{error}");
    }
    let shown = app.restore(&["show", &set])?.expect(0)?;
    let levels = shown.data()["proof"]["levels"].to_string();
    ensure!(levels.contains("content"), "{levels}");
    // As the hint has it.
    server.psql("postgres", "ALTER ROLE small SET lc_messages = 'C'")?;
    let tool = app.tool("th-restore")?.env("TH_DATABASE_URL", &url);
    let ended = tool.args(["verify", &set]).run()?.expect(13)?;
    let error = ended.record["error"].to_string();
    ensure!(error.contains("connect as a superuser"), "{error}");
    Ok(())
}

/// Its function finds its table no more, once the search path is that of a restore.
#[test]
fn a_set_that_does_not_restore_is_told_by_a_superuser() -> Result<()> {
    let server = Cluster::start_in_german()?;
    let sql = "CREATE TABLE known AS SELECT 1 AS x;
               CREATE FUNCTION is_known(int) RETURNS bool LANGUAGE sql
                   AS 'SELECT $1 IN (SELECT x FROM known)';
               CREATE TABLE checked (y int CHECK (is_known(y))); INSERT INTO checked VALUES (1);";
    let app = App::new(&server, "refused", sql)?;
    let set = app.backup()?;
    let ended = app.restore(&["verify", &set, "--level", "restore"])?;
    let found = ended.expect(14)?.data()["differences"].to_string();
    ensure!(found.contains("does not exist"), "{found}");
    Ok(())
}

#[test]
fn a_query_that_fails_half_way_is_told_by_its_code() -> Result<()> {
    let server = Cluster::start_in_german()?;
    let database = server.database_with(
        "refs",
        "CREATE TABLE documents AS SELECT i FROM generate_series(1, 20000) i",
    )?;
    let files = files()?;
    let home = Home::new(&format!(
        "app = \"a\"\n[env.test]\nroot = \".\"\n[env.test.database]\nurl = \"{}\"\n\
         [env.test.files]\nuploads = \"{}\"\n\
         references = \"SELECT CASE WHEN 1 / (20000 - i) >= 0 THEN 'none' END FROM documents\"\n\
         [env.test.backup]\nstore = \"store\"\n",
        server.url(&database),
        files.path().display()
    ))?;
    let ended = home.backup(&[])?.expect(1)?;
    let message = ended.message();
    ensure!(
        message.contains("Division durch Null (SQLSTATE 22012)"),
        "{message}"
    );
    Ok(())
}
