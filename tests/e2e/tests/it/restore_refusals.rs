//! What a restore refuses before it touches anything.

use anyhow::Result;
use th_kit::{Cluster, Server, Store, Tool, everything};

use crate::backup_failures::wait_for;
use crate::restore_death::{Subject, Which};
use crate::setup::{App, bulk, cluster};

#[test]
fn roles_that_are_missing_are_named() -> Result<()> {
    let app = App::new(cluster()?, "roles", &everything())?;
    let set = app.backup()?;
    let other = Cluster::start()?;
    other.psql("postgres", "CREATE DATABASE target; CREATE ROLE zoo_owner")?;
    let tool = other.target(app.store.target(Tool::new("th-restore")?), "target");
    let ended = tool
        .args(["apply", &set, "--only", "db"])
        .run()?
        .expect(13)?;
    assert!(
        ended.message().contains("Zoo Reader"),
        "{}",
        ended.message()
    );
    assert!(
        !other
            .databases()?
            .iter()
            .any(|name| name.starts_with("target_"))
    );
    Ok(())
}

#[test]
fn a_set_that_is_not_there_and_a_store_that_is_not_there() -> Result<()> {
    let app = App::new(cluster()?, "absent", &bulk(10))?;
    app.restore(&["list"])?.expect(10)?;
    app.backup()?;
    app.restore(&["apply", "20010101T000000Z-0000"])?
        .expect(10)?;
    app.restore(&["apply", "--at", "2001-01-01T00:00:00Z"])?
        .expect(10)?;
    Ok(())
}

#[test]
fn a_server_that_is_down() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "down", &bulk(10))?;
    app.backup()?;
    server.halt()?;
    app.restore(&["apply"])?.expect(12)?;
    app.restore(&["verify"])?.expect(12)?;
    app.restore(&["verify", "--level", "bytes"]).map(drop)?;
    app.restore(&["list"])?.expect(0)?;
    Ok(())
}

#[test]
fn a_server_that_dies_under_a_restore() -> Result<()> {
    let server = Cluster::start()?;
    let subject = Subject::new(&server)?;
    let app = &subject.app;
    for command in ["apply", "verify"] {
        let running = app.tool("th-restore")?.args([command]).start()?;
        wait_for(|| Ok(app.beside()?.len() == 1))?;
        server.halt()?;
        let ended = running.wait()?;
        // The set is not to blame.
        assert!([1, 12].contains(&ended.code), "{command}: {}", ended.record);
        assert_eq!(ended.record["changed"], false);
        server.resume()?;
        assert_eq!(subject.database()?, Which::Old);
        // What could not be dropped then is dropped by the next run.
        subject.clear()?;
        subject.check(Which::Old)?;
    }
    app.restore(&["apply"])?.expect(0)?;
    subject.check(Which::New)
}

#[test]
fn a_wrong_password() -> Result<()> {
    let app = App::new(cluster()?, "password", &bulk(10))?;
    app.backup()?;
    let url = cluster()?.url_with("wr0ng", &app.database);
    for command in ["apply", "verify", "gc"] {
        let tool = app.store.target(Tool::new("th-restore")?).args([command]);
        let ended = tool.env("TH_DATABASE_URL", &url).run()?.expect(12)?;
        assert!(ended.message().contains("password"), "{}", ended.message());
        assert!(!ended.stdout.contains("wr0ng") && !ended.stderr.contains("wr0ng"));
    }
    Ok(())
}

#[test]
fn a_restore_that_holds_the_lock() -> Result<()> {
    let app = App::new(cluster()?, "first", &bulk(20_000))?;
    app.backup()?;
    let first = app.tool("th-restore")?.args(["apply"]).start()?;
    wait_for(|| Ok(app.beside()?.len() == 1))?;
    for ended in [app.restore(&["apply"])?, app.tool("th-backup")?.run()?] {
        let message = ended.expect(11)?.message();
        let pid = first.pid().to_string();
        assert!(
            message.contains(&pid) && message.contains("th-restore"),
            "{message}"
        );
    }
    first.wait()?.expect(0)?;
    Ok(())
}

#[test]
fn a_failed_backup_before_it() -> Result<()> {
    let app = App::new(cluster()?, "upstream", &bulk(10))?;
    app.backup()?;
    let failed = backup_of_nowhere(&app.store)?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    let tool = app.tool("th-restore")?.args(["apply", "-"]).stdin(failed);
    tool.run()?.expect(13)?;
    assert_eq!(
        app.server.psql(&app.database, "SELECT word FROM marker")?,
        "live"
    );
    Ok(())
}

fn backup_of_nowhere(store: &Store) -> Result<String> {
    let tool = cluster()?.target(store.target(Tool::new("th-backup")?), "nowhere");
    Ok(tool.run()?.expect(10)?.stdout)
}

#[test]
fn a_backup_that_holds_the_lock() -> Result<()> {
    let app = App::new(cluster()?, "held", &bulk(20_000))?;
    app.backup()?;
    let running = app.tool("th-backup")?.args(["--bandwidth", "2M"]).start()?;
    wait_for(|| Ok(!app.store.incoming()?.is_empty()))?;
    let ended = app.restore(&["apply"])?.expect(11)?;
    assert!(
        ended.message().contains(&running.pid().to_string()),
        "{}",
        ended.message()
    );
    Ok(())
}
