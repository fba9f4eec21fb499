//! Everything around a backup that can refuse, and what is said then.

use std::panic::Location;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use th_kit::{Cluster, Ended, Server, Store, Tool};

use crate::setup::{backup, bulk, cluster, postgres15, while_locked};

#[test]
fn a_wrong_password_is_unreachable() -> Result<()> {
    let server = cluster()?;
    let store = Store::new()?;
    let url = server.url_with("wr0ng", "postgres");
    let tool = store
        .target(Tool::new("th-backup")?)
        .env("TH_DATABASE_URL", &url);
    let ended = tool.run()?.expect(12)?;
    assert!(ended.message().contains("password"), "{}", ended.message());
    assert!(!ended.stdout.contains("wr0ng") && !ended.stderr.contains("wr0ng"));
    assert_eq!(store.sets()?.len(), 0);
    Ok(())
}

#[test]
fn a_database_that_is_not_there_is_named() -> Result<()> {
    let servers: [&dyn Server; 2] = [cluster()?, postgres15()?];
    for server in servers {
        let ended = backup(server, "nowhere", &Store::new()?)?
            .run()?
            .expect(10)?;
        assert!(ended.message().contains("nowhere"), "{}", ended.message());
    }
    Ok(())
}

#[test]
fn a_container_that_is_not_there_is_named() -> Result<()> {
    let tool = Store::new()?
        .target(Tool::new("th-backup")?)
        .args(["--container", "th-no-such"]);
    let ended = tool.run()?.expect(10)?;
    assert!(
        ended.message().contains("th-no-such"),
        "{}",
        ended.message()
    );
    Ok(())
}

#[test]
fn a_server_that_is_down_is_unreachable() -> Result<()> {
    let server = Cluster::start()?;
    server.halt()?;
    backup(&server, "postgres", &Store::new()?)?
        .run()?
        .expect(12)?;
    Ok(())
}

#[test]
fn a_docker_that_is_down_is_unreachable() -> Result<()> {
    let tool = Store::new()?
        .target(Tool::new("th-backup")?)
        .args(["--container", "any"]);
    let ended = tool
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .run()?
        .expect(12)?;
    assert!(
        ended.message().to_lowercase().contains("docker"),
        "{}",
        ended.message()
    );
    Ok(())
}

#[test]
fn a_server_that_dies_under_the_dump_leaves_no_set() -> Result<()> {
    let server = Cluster::start()?;
    let database = server.database_with("dying", &bulk(60_000))?;
    let store = Store::new()?;
    let running = backup(&server, &database, &store)?
        .args(["--bandwidth", "4M"])
        .start()?;
    wait_for(|| Ok(server.tool_sessions(&database)? >= 2))?;
    thread::sleep(Duration::from_millis(300));
    server.halt()?;
    let ended = running.wait()?;
    assert!(
        [1, 12].contains(&ended.code),
        "{} {}",
        ended.code,
        ended.stderr
    );
    assert_eq!((store.sets()?.len(), store.incoming()?.len()), (0, 0));
    server.resume()?;
    backup(&server, &database, &store)?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn a_locked_table_is_not_waited_for_longer_than_told() -> Result<()> {
    let ended = against_a_lock()?.expect(1)?;
    assert!(ended.message().contains("bulk"), "{}", ended.message());
    Ok(())
}

#[test]
fn a_locked_table_gives_a_hint() -> Result<()> {
    let ended = against_a_lock()?.expect(1)?;
    assert!(!ended.record["error"]["hint"].is_null(), "{}", ended.record);
    Ok(())
}

/// Backs up while another session holds a lock on a table.
fn against_a_lock() -> Result<Ended> {
    let server = cluster()?;
    let database = server.database_with("locked", &bulk(10))?;
    let store = Store::new()?;
    let lock = "LOCK TABLE bulk IN ACCESS EXCLUSIVE MODE";
    let tool = backup(server, &database, &store)?.args(["--lock-wait", "1s"]);
    let ended = while_locked(server, &database, lock, || tool.run())?;
    let took = ended.record["duration_seconds"].as_f64();
    ensure!(took < Some(5.0), "it took {took:?} s");
    assert_eq!((store.sets()?.len(), store.incoming()?.len()), (0, 0));
    Ok(ended)
}

#[test]
fn the_second_of_two_is_told_who_is_first() -> Result<()> {
    let server = cluster()?;
    let database = server.database_with("twice", &bulk(20_000))?;
    let store = Store::new()?;
    let first = backup(server, &database, &store)?
        .args(["--bandwidth", "2M"])
        .start()?;
    wait_for(|| Ok(!store.incoming()?.is_empty()))?;
    let second = backup(server, &database, &store)?.run()?.expect(11)?;
    let pid = first.pid().to_string();
    assert!(
        second.message().contains(&pid),
        "{} is not in {}",
        pid,
        second.message()
    );
    assert!(second.message().contains("th-backup"));
    first.wait()?.expect(0)?;
    assert_eq!(store.check_whole()?, 1);
    Ok(())
}

#[test]
fn nothing_to_back_up_is_a_configuration_error() -> Result<()> {
    let ended = Store::new()?
        .target(Tool::new("th-backup")?)
        .run()?
        .expect(2)?;
    assert_eq!(ended.kind(), "config");
    Ok(())
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn wait_for(mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    let (start, asked) = (Instant::now(), Location::caller());
    while !condition()? {
        ensure!(
            start.elapsed() < Duration::from_secs(20),
            "{asked}: waited for 20 s in vain"
        );
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
