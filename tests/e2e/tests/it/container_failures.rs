//! A server in a container that is stopped, dies, or lets nobody in.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{ContainerServer, Ended, Idle, PASSWORD, Server, Store, Tool};

use crate::backup_failures::wait_for;
use crate::restore_death::{Subject, Which};
use crate::setup::{App, backup, bulk, postgres15, while_locked};

/// Checks that neither the store nor the server holds anything of a run that failed.
fn nothing_is_left(server: &ContainerServer, store: &Store, database: &str) -> Result<()> {
    ensure!(store.strays()?.is_empty(), "{:?}", store.strays()?);
    wait_for(|| Ok(server.tool_sessions(database)? == 0))?;
    wait_for(|| {
        let processes = server.processes()?;
        Ok(!processes
            .iter()
            .any(|line| line.contains("pg_dump") || line.contains("pg_restore")))
    })
}

/// One container for all of it, since each takes seconds to come up.
#[test]
fn a_container_that_stops_and_comes_back() -> Result<()> {
    let server = ContainerServer::start(15)?;
    let subject = Subject::new(&server)?;
    let app = &subject.app;
    // What is dumped ahead of the throttle is not to be all of it.
    let large = server.database_with("dying", &bulk(200_000))?;
    let store = Store::new()?;

    // Under a dump.
    let tool = backup(&server, &large, &store)?.args(["--bandwidth", "4M"]);
    let running = tool.start()?;
    wait_for(|| Ok(server.tool_sessions(&large)? >= 2))?;
    thread::sleep(Duration::from_millis(300));
    server.halt()?;
    let start = Instant::now();
    let ended = running.wait()?;
    ensure!([1, 12].contains(&ended.code), "{}", ended.record);
    ensure!(ended.record["changed"] == false, "{}", ended.record);
    ensure!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert_eq!((store.sets()?.len(), store.strays()?), (0, Vec::new()));

    server.resume()?;
    backup(&server, &large, &store)?.run()?.expect(0)?;
    nothing_is_left(&server, &store, &large)?;

    // Under a restore.
    let running = app.tool("th-restore")?.args(["apply"]).start()?;
    wait_for(|| Ok(app.beside()?.len() == 1))?;
    server.halt()?;
    let ended = running.wait()?;
    ensure!([1, 12].contains(&ended.code), "{}", ended.record);
    server.resume()?;
    ensure!(subject.database()? == Which::Old);
    // What could not be dropped then is dropped by the next run.
    subject.clear()?;
    subject.check(Which::Old)?;
    nothing_is_left(&server, &app.store, &app.database)?;
    app.restore(&["apply"])?.expect(0)?;
    subject.check(Which::New)?;
    Ok(())
}

#[test]
fn a_wrong_password() -> Result<()> {
    let server = ContainerServer::start(15)?;
    let app = App::new(&server, "shut", &bulk(10))?;
    app.backup()?;
    // A password that is no longer the one of the container's environment.
    server.psql(
        "postgres",
        "ALTER ROLE postgres PASSWORD 'another';
         COPY (SELECT 'local all all scram-sha-256') TO PROGRAM 'cat >\"$PGDATA\"/pg_hba.conf';
         SELECT pg_reload_conf();",
    )?;
    wait_for(|| Ok(server.psql("postgres", "SELECT 1").is_err()))?;
    for ended in [app.tool("th-backup")?.run()?, app.restore(&["apply"])?] {
        let ended = ended.expect(12)?;
        assert!(ended.message().contains("password"), "{}", ended.message());
        assert!(!ended.stdout.contains(PASSWORD) && !ended.stderr.contains(PASSWORD));
    }
    Ok(())
}

#[test]
fn a_container_that_does_not_run() -> Result<()> {
    let app = App::new(postgres15()?, "stopped", &bulk(10))?;
    app.backup()?;
    let stopped = Idle::start(&[])?;
    stopped.halt()?;
    let run = |name: &str, args: &[&str]| -> Result<Ended> {
        let tool = app.store.target(Tool::new(name)?).args(args);
        let database = ["--container", stopped.name(), "--database", &app.database];
        tool.args(database).run()
    };
    run("th-restore", &["verify", "--level", "bytes"])?.expect(0)?;
    run("th-restore", &["list"])?.expect(0)?;
    for ended in [
        run("th-backup", &[])?,
        run("th-restore", &["apply"])?,
        run("th-restore", &["verify"])?,
        run("th-restore", &["gc"])?,
    ] {
        let ended = ended.expect(12)?;
        assert_eq!(ended.kind(), "unreachable");
        let message = ended.message();
        assert!(message.contains(stopped.name()), "{message}");
        assert!(message.contains("docker start"), "{message}");
    }
    assert_eq!(
        (app.store.sets()?.len(), app.store.strays()?),
        (1, Vec::new())
    );
    Ok(())
}

#[test]
fn a_role_that_is_not_there() -> Result<()> {
    let store = Store::new()?;
    let tool = backup(postgres15()?, "postgres", &store)?.args(["--user", "th_nobody"]);
    let ended = tool.run()?.expect(12)?;
    assert!(ended.message().contains("th_nobody"), "{}", ended.message());
    assert_eq!(store.sets()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_locked_table_and_a_second_run() -> Result<()> {
    let app = App::new(postgres15()?, "busy", &bulk(20_000))?;
    let (server, database) = (app.server, &app.database);
    let lock = "LOCK TABLE marker IN ACCESS EXCLUSIVE MODE";
    let tool = app.tool("th-backup")?.args(["--lock-wait", "1s"]);
    let ended = while_locked(server, database, lock, || tool.run())?.expect(1)?;
    assert!(ended.message().contains("marker"), "{}", ended.message());
    assert_eq!(
        (app.store.sets()?.len(), app.store.strays()?),
        (0, Vec::new())
    );
    wait_for(|| Ok(server.tool_sessions(database)? == 0))?;

    let first = app.tool("th-backup")?.args(["--bandwidth", "2M"]).start()?;
    wait_for(|| Ok(!app.store.incoming()?.is_empty()))?;
    for ended in [app.tool("th-backup")?.run()?, app.restore(&["gc"])?] {
        let ended = ended.expect(11)?;
        let (pid, message) = (first.pid().to_string(), ended.message());
        assert!(
            message.contains(&pid) && message.contains("th-backup"),
            "{message}"
        );
    }
    first.wait()?.expect(0)?;
    assert_eq!(app.store.check_whole()?, 1);
    Ok(())
}
