//! A live database that lets nobody in is what a restore is for.

use anyhow::{Result, ensure};
use th_kit::{Cluster, Server};

use crate::setup::{App, bulk, cluster, postgres15};

/// Backs up, and changes the live database, of which a setting is to be kept.
fn changed<'a>(server: &'a dyn Server, name: &str) -> Result<App<'a>> {
    let app = App::new(server, name, &bulk(10))?;
    app.backup()?;
    let database = &app.database;
    server.psql(
        database,
        &format!("UPDATE marker SET word = 'live'; ALTER DATABASE {database} SET work_mem = '7MB'"),
    )?;
    Ok(app)
}

/// Restores over the live database, which cannot be backed up any more.
fn restores_over(app: &App<'_>) -> Result<()> {
    let refused = app.tool("th-backup")?.run()?.expect(12)?;
    let error = refused.record["error"].to_string();
    ensure!(error.contains("does not let us into"), "{error}");
    ensure!(error.contains("th-restore apply"), "{error}");
    app.restore(&["apply", "--plan"])?.expect(0)?;
    app.restore(&["apply"])?.expect(0)?;
    let found = "SELECT word, current_setting('work_mem') FROM marker";
    assert_eq!(app.server.psql(&app.database, found)?, "original|7MB");
    Ok(())
}

#[test]
fn a_closed_one_is_restored_over_and_comes_back() -> Result<()> {
    let servers: [&dyn Server; 2] = [cluster()?, postgres15()?];
    for server in servers {
        let app = changed(server, "closed")?;
        let allow = |allow: bool| {
            let name = &app.database;
            let sql = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allow}");
            server.psql("postgres", &sql)
        };
        allow(false)?;
        restores_over(&app)?;
        app.restore(&["undo"])?.expect(0)?;
        // It is as closed as it was.
        app.restore(&["undo"])?.expect(10)?;
        ensure!(server.psql(&app.database, "SELECT 1").is_err());
        allow(true)?;
        let word = server.psql(&app.database, "SELECT word FROM marker")?;
        assert_eq!(word, "live");
    }
    Ok(())
}

#[test]
fn a_damaged_one_is_restored_over() -> Result<()> {
    // Of its own, lest the others' goes down.
    let cluster = Cluster::start()?;
    let server = &cluster;
    for damage in ["mv $d/PG_VERSION $d/gone", "mv $d $d.gone"] {
        let app = changed(server, "damaged")?;
        let oid = "SELECT oid FROM pg_database WHERE datname = current_database()";
        let oid = server.psql(&app.database, oid)?;
        // What is still to be written could not be, and the server would give up.
        server.psql("postgres", "CHECKPOINT")?;
        // The server's own shell stands in its data directory.
        let damage = format!("COPY (SELECT) TO PROGRAM 'cat >/dev/null; d=base/{oid}; {damage}'");
        server.psql("postgres", &damage)?;
        restores_over(&app)?;
        app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
        assert_eq!(app.beside()?, Vec::<String>::new());
    }
    Ok(())
}
