//! A backup of one of everything, proven by restoring and comparing.

use anyhow::{Result, ensure};
use th_kit::{Server, Store, everything};

use crate::setup::{backup, cluster, files, postgres15, postgres17};

fn proves_everything(server: &dyn Server) -> Result<()> {
    let database = server.database_with("zoo", &everything())?;
    let (store, files) = (Store::new()?, files()?);
    let tool = || {
        Ok::<_, anyhow::Error>(
            backup(server, &database, &store)?.args(["--files".as_ref(), files.path().as_os_str()]),
        )
    };
    let first = tool()?
        .args(["--prove", "content", "--tag", "a=b", "--pin"])
        .run()?
        .expect(0)?;
    let data = first.data();
    assert_eq!(data["proof"], "content", "{data}");
    assert_eq!(data["status"], "complete");
    assert_eq!(first.record["changed"], true);
    assert_eq!(data["pinned"], true);
    let count = data["files"]["count"].as_u64();
    assert_eq!(data["files"]["new_count"].as_u64(), count);

    let second = tool()?.args(["--prove", "content"]).run()?.expect(0)?;
    let again = second.data();
    assert_eq!(again["files"]["new_bytes"], 0, "{again}");
    assert_eq!(again["files"]["stored_bytes"], 0, "{again}");
    assert_eq!(again["files"]["count"].as_u64(), count);
    assert_eq!(store.check_whole()?, 2);
    assert_eq!(store.incoming()?, Vec::<String>::new());
    for name in server.databases()? {
        ensure!(
            !name.starts_with(&format!("{database}_")),
            "left behind: {name}"
        );
    }
    Ok(())
}

#[test]
fn everything_is_proven_by_url() -> Result<()> {
    proves_everything(cluster()?)
}

#[test]
fn everything_is_proven_in_a_container_of_15() -> Result<()> {
    proves_everything(postgres15()?)
}

#[test]
fn everything_is_proven_in_a_container_of_17() -> Result<()> {
    proves_everything(postgres17()?)
}

#[test]
fn an_empty_database_is_a_database() -> Result<()> {
    let server = cluster()?;
    let (database, store) = (server.database("empty")?, Store::new()?);
    let ended = backup(server, &database, &store)?
        .args(["--prove", "content"])
        .run()?
        .expect(0)?;
    assert_eq!(ended.data()["database"]["tables"], 0);
    assert_eq!(ended.data()["proof"], "content");
    assert!(ended.data()["files"].is_null());
    Ok(())
}

#[test]
fn views_without_any_table_are_proven() -> Result<()> {
    let server = cluster()?;
    let sql = "CREATE VIEW one AS SELECT 1 AS one; CREATE SEQUENCE s; SELECT nextval('s');";
    let (database, store) = (server.database_with("views", sql)?, Store::new()?);
    let ended = backup(server, &database, &store)?
        .args(["--prove", "content"])
        .run()?
        .expect(0)?;
    assert_eq!(ended.data()["database"]["tables"], 0);
    Ok(())
}

#[test]
fn an_odd_database_name_works_in_both_ways() -> Result<()> {
    let servers: [&dyn Server; 2] = [cluster()?, postgres15()?];
    for server in servers {
        let database = server.database("Ödd 'na me")?;
        server.psql(&database, "CREATE TABLE t AS SELECT 1 AS x")?;
        // In an address the name has to be encoded; as a flag it has not.
        let encoded = database
            .replace('Ö', "%C3%96")
            .replace(' ', "%20")
            .replace('\'', "%27");
        let name = if server.is_by_url() {
            &encoded
        } else {
            &database
        };
        let store = Store::new()?;
        backup(server, name, &store)?
            .args(["--prove", "content"])
            .run()?
            .expect(0)?;
    }
    Ok(())
}

#[test]
fn files_alone_and_the_database_alone() -> Result<()> {
    let server = cluster()?;
    let (store, files) = (Store::new()?, files()?);
    let database = server.database_with("alone", "CREATE TABLE t ()")?;
    let ended = backup(server, &database, &store)?
        .args(["--files".as_ref(), files.path().as_os_str()])
        .args(["--no-db"])
        .run()?;
    let ended = ended.expect(0)?;
    assert!(ended.data()["database"].is_null());
    assert_eq!(ended.data()["proof"], "bytes");
    let ended = backup(server, &database, &store)?
        .args(["--files".as_ref(), files.path().as_os_str()])
        .args(["--no-files"])
        .run()?;
    assert!(ended.expect(0)?.data()["files"].is_null());
    assert_eq!(store.check_whole()?, 2);
    Ok(())
}

#[test]
fn a_plan_changes_nothing() -> Result<()> {
    let server = cluster()?;
    let (store, files) = (Store::new()?, files()?);
    let database = server.database("plan")?;
    let ended = backup(server, &database, &store)?
        .args(["--files".as_ref(), files.path().as_os_str()])
        .args(["--plan"])
        .run()?;
    let ended = ended.expect(0)?;
    assert_eq!(ended.record["kind"], "backup_plan");
    assert_eq!(ended.record["dry_run"], true);
    assert!(!store.path().exists());
    Ok(())
}

#[test]
fn a_reader_that_went_away_changes_nothing() -> Result<()> {
    let server = cluster()?;
    let store = Store::new()?;
    let database = server.database_with("deaf", "CREATE TABLE t ()")?;
    let (code, stderr) = backup(server, &database, &store)?.run_unheard()?;
    assert_eq!(code, 0, "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_eq!(store.check_whole()?, 1);
    Ok(())
}
