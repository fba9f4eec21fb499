//! Losing everything, and getting it back.

use std::fs;

use anyhow::{Result, ensure};
use th_kit::{Server, everything};

use crate::setup::{App, bulk, cluster, postgres15, postgres17};

/// Changes and destroys a part of the database and of the files.
fn ruin(app: &App<'_>) -> Result<()> {
    app.server.psql(
        &app.database,
        "DROP TABLE inventory.items CASCADE; DELETE FROM accounts; CREATE TABLE newer (x int);
         SELECT lo_unlink(4242); DROP SCHEMA \"Größe & Maß\" CASCADE;",
    )?;
    let root = app.files.path();
    fs::remove_dir_all(root.join("empty directory"))?;
    fs::remove_file(root.join("2026/11/report.pdf"))?;
    fs::write(root.join("none"), "no longer empty")?;
    fs::remove_file(root.join("latest"))?;
    fs::write(root.join("newer"), "since the backup")?;
    Ok(())
}

fn comes_back(server: &dyn Server) -> Result<()> {
    let app = App::new(server, "zoo", &everything())?;
    let original = app.state()?;
    let set = app.backup()?;
    let verified = app
        .restore(&["verify", &set, "--level", "content"])?
        .expect(0)?;
    assert_eq!(verified.data()["reached"], "content", "{}", verified.record);
    assert_eq!(app.beside()?, Vec::<String>::new());
    let listed = app.restore(&["list"])?.expect(0)?;
    assert_eq!(listed.stdout.lines().count(), 2);
    assert!(listed.stdout.contains(&set) && listed.stdout.contains("content"));
    app.restore(&["show", &set[..12]])?.expect(0)?;

    ruin(&app)?;
    let ruined = app.state()?;
    assert_ne!(ruined, original);
    let plan = app.restore(&["apply", &set, "--plan"])?.expect(0)?;
    assert_eq!(plan.record["dry_run"], true);
    assert_eq!(app.state()?, ruined);

    let applied = app.restore(&["apply", &set])?.expect(0)?;
    assert_eq!(applied.data()["undoable"], true, "{}", applied.record);
    same(&app.state()?.0, &original.0)?;
    assert!(app.tree()? == original.1, "the files differ");
    assert_eq!(app.beside()?.len(), 1, "{:?}", app.beside()?);

    app.restore(&["undo"])?.expect(0)?;
    same(&app.state()?.0, &ruined.0)?;
    assert!(app.tree()? == ruined.1, "the files differ after undo");
    app.restore(&["undo"])?.expect(10)?;

    app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
    assert_eq!(app.beside()?, Vec::<String>::new());
    same(&app.state()?.0, &ruined.0)?;
    Ok(())
}

/// Names the first line that differs.
fn same(found: &str, wanted: &str) -> Result<()> {
    for (found, wanted) in found.lines().zip(wanted.lines()) {
        ensure!(found == wanted, "found\n{found}\nnot\n{wanted}");
    }
    ensure!(
        found.lines().count() == wanted.lines().count(),
        "{found}\nis not\n{wanted}"
    );
    Ok(())
}

#[test]
fn by_url() -> Result<()> {
    comes_back(cluster()?)
}

#[test]
fn in_a_container_of_15() -> Result<()> {
    comes_back(postgres15()?)
}

#[test]
fn in_a_container_of_17() -> Result<()> {
    comes_back(postgres17()?)
}

#[test]
fn when_the_database_and_the_files_are_gone_altogether() -> Result<()> {
    let servers: [&dyn Server; 2] = [cluster()?, postgres15()?];
    for server in servers {
        let app = App::new(server, "gone", &everything())?;
        let original = app.state()?;
        app.backup()?;
        server.psql("postgres", &format!("DROP DATABASE {}", app.database))?;
        fs::remove_dir_all(app.files.path())?;
        app.restore(&["apply"])?.expect(0)?;
        same(&app.state()?.0, &original.0)?;
        assert!(app.tree()? == original.1, "the files differ");
    }
    Ok(())
}

#[test]
fn sessions_of_the_app_are_closed_and_can_come_back() -> Result<()> {
    let app = App::new(cluster()?, "busy", &bulk(2_000))?;
    app.backup()?;
    std::thread::scope(|scope| {
        let session = scope.spawn(|| app.server.psql(&app.database, "SELECT pg_sleep(30)"));
        std::thread::sleep(std::time::Duration::from_millis(500));
        let applied = app.restore(&["apply", "--only", "db"])?.expect(0)?;
        assert_eq!(
            applied.data()["database"]["closed_sessions"],
            1,
            "{}",
            applied.record
        );
        assert!(session.join().is_ok_and(|result| result.is_err()));
        assert_eq!(
            app.server.psql(&app.database, "SELECT word FROM marker")?,
            "original"
        );
        Ok(())
    })
}

#[test]
fn into_another_database_or_directory() -> Result<()> {
    let app = App::new(cluster()?, "into", &bulk(500))?;
    let original = app.state()?;
    app.backup()?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'changed'")?;
    let other = format!("{}_copy", app.database);
    app.restore(&["apply", "--only", "db", "--into", &other])?
        .expect(0)?;
    assert_eq!(
        app.server.psql(&other, "SELECT word FROM marker")?,
        "original"
    );
    assert_eq!(
        app.server.psql(&app.database, "SELECT word FROM marker")?,
        "changed"
    );
    // It is there now, and is not touched again.
    app.restore(&["apply", "--only", "db", "--into", &other])?
        .expect(13)?;

    let dir = tempfile::tempdir()?;
    let target = dir.path().join("new");
    let target_text = target.to_string_lossy().into_owned();
    app.restore(&["apply", "--only", "files", "--into", &target_text])?
        .expect(0)?;
    assert!(th_kit::tree(&target)? == original.1, "the files differ");
    app.restore(&["apply", "--only", "files", "--into", &target_text])?
        .expect(13)?;
    assert_eq!(
        app.server.psql(&app.database, "SELECT word FROM marker")?,
        "changed"
    );
    Ok(())
}

#[test]
fn one_table_into_a_database_that_is_made_for_it() -> Result<()> {
    let app = App::new(cluster()?, "table", &bulk(500))?;
    app.backup()?;
    one_table(&app, &format!("{}_alone", app.database))?;
    let other = format!("{}_other", app.database);
    let args = [
        "apply",
        "--only",
        "db",
        "--into",
        &other,
        "--table",
        "public.nothing",
    ];
    app.restore(&args)?.expect(10)?;
    assert!(!app.server.databases()?.contains(&other));
    Ok(())
}

#[test]
fn one_table_into_a_database_that_is_there() -> Result<()> {
    let app = App::new(cluster()?, "table", &bulk(500))?;
    app.backup()?;
    one_table(&app, &app.server.database("table_into")?)
}

fn one_table(app: &App<'_>, other: &str) -> Result<()> {
    let args = [
        "apply",
        "--only",
        "db",
        "--into",
        other,
        "--table",
        "public.marker",
    ];
    app.restore(&args)?.expect(0)?;
    assert_eq!(
        app.server.psql(other, "SELECT word FROM marker")?,
        "original"
    );
    assert_eq!(
        app.server
            .psql(other, "SELECT to_regclass('bulk') IS NULL")?,
        "t"
    );
    Ok(())
}

#[test]
fn only_a_part() -> Result<()> {
    let app = App::new(cluster()?, "part", &bulk(500))?;
    let original = app.state()?;
    app.backup()?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'changed'")?;
    fs::write(app.files.path().join("none"), "changed")?;
    app.restore(&["apply", "--only", "files"])?.expect(0)?;
    assert!(app.tree()? == original.1, "the files differ");
    assert_eq!(
        app.server.psql(&app.database, "SELECT word FROM marker")?,
        "changed"
    );
    app.restore(&["apply", "--only", "db"])?.expect(0)?;
    same(&app.state()?.0, &original.0)
}

#[test]
fn a_chain_verifies_the_set_just_made() -> Result<()> {
    let app = App::new(cluster()?, "chain", &bulk(100))?;
    let made = app.tool("th-backup")?.run()?.expect(0)?;
    app.backup()?;
    let verify = app
        .tool("th-restore")?
        .args(["verify", "-"])
        .stdin(made.stdout.clone());
    let verified = verify.run()?.expect(0)?;
    assert_eq!(verified.data()["set"], made.data()["set"]);
    Ok(())
}
