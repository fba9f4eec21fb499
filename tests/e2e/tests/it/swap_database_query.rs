//! What the database is asked: a query that is wrong, more heads than one, a role that sees little.

use std::process::{Child, Stdio};

use anyhow::{Result, ensure};
use th_kit::{Cluster, PASSWORD, Server, SlotApp};

use crate::backup_failures::wait_for;
use crate::swap_database::{HEAD, with_database};

fn with_query(app: &SlotApp, cluster: &Cluster, database: &str, query: &str) -> Result<()> {
    app.write_config(&format!(
        "schema_query = \"{query}\"\n[env.test.database]\nurl = \"{}\"",
        cluster.url(database)
    ))
}

#[test]
fn a_wrong_query_is_refused_before_a_release_and_not_on_the_way_back() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let database = cluster.database_with("swap", HEAD)?;
    let app = SlotApp::released()?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    with_query(
        &app,
        cluster,
        &database,
        "SELECT versoin FROM alembic_version",
    )?;
    for more in [&[][..], &["--plan"]] {
        let refused = app
            .swap(&["to", "--tag", "v3"])?
            .args(more)
            .run()?
            .expect(2)?;
        assert_eq!(refused.record["changed"], false);
        for words in ["slots.schema_query", "versoin"] {
            ensure!(refused.message().contains(words), "{}", refused.record);
        }
    }
    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    let warnings = back.record["warnings"].to_string();
    ensure!(warnings.contains("slots.schema_query"), "{warnings}");
    assert_eq!(app.answer()?, "v1 blue");

    // Before the first migration there is no table.
    with_query(
        &app,
        cluster,
        &database,
        "SELECT version FROM schema_migrations",
    )?;
    let early = app.swap(&["to", "--tag", "v3"])?.run()?.expect(0)?;
    let warnings = early.record["warnings"].to_string();
    ensure!(warnings.contains("schema_migrations"), "{warnings}");
    Ok(())
}

#[test]
fn each_of_two_heads_counts() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let heads = "CREATE TABLE alembic_version (version_num text); \
                 INSERT INTO alembic_version VALUES ('b1'), ('a1')";
    let database = cluster.database_with("swap", heads)?;
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    let first = app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(first.data()["head"], "a1 b1");
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    for head in ["a1", "b1"] {
        let set = |from: &str, to: &str| {
            let change = format!(
                "UPDATE alembic_version SET version_num = '{to}' WHERE version_num = '{from}'"
            );
            cluster.psql(&database, &change)
        };
        set(head, "c1")?;
        let refused = app.swap(&["rollback"])?.run()?.expect(13)?;
        ensure!(refused.message().contains("c1"), "{}", refused.record);
        set("c1", head)?;
    }
    app.swap(&["rollback"])?.run()?.expect(0)?;
    Ok(())
}

/// Sessions that last until they are dropped.
struct Sessions(Vec<Child>);

impl Sessions {
    fn open(cluster: &Cluster, database: &str, count: usize) -> Result<Self> {
        let mut sessions = Self(Vec::new());
        for _ in 0..count {
            let mut session = cluster.client("psql");
            session.args(["-qX", "-d", database, "-c", "SELECT pg_sleep(300)"]);
            session.env("PGAPPNAME", "app").stdout(Stdio::null());
            sessions.0.push(session.spawn()?);
        }
        let there = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'app'"
        );
        wait_for(|| Ok(cluster.psql("postgres", &there)? == count.to_string()))?;
        Ok(sessions)
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        for session in &mut self.0 {
            let _ = session.kill();
            let _ = session.wait();
        }
    }
}

#[test]
fn a_role_that_sees_only_itself_counts_all_connections() -> Result<()> {
    let cluster = Cluster::start()?;
    let database = cluster.database("swap")?;
    cluster.psql(
        "postgres",
        &format!("CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'"),
    )?;
    let app = SlotApp::released()?;
    let url = cluster.url(&database).replace("//postgres:", "//plain:");
    app.write_config(&format!("[env.test.database]\nurl = \"{url}\""))?;
    // 57 of 60 are not for the superuser.
    let _others = Sessions::open(&cluster, "postgres", 20)?;
    let _own = Sessions::open(&cluster, &database, 20)?;
    let refused = app.swap(&["to", "--tag", "v2"])?.run()?.expect(13)?;
    let found = "the app has 20 database connections, 16 of 57 are free";
    ensure!(refused.message().contains(found), "{}", refused.record);
    assert_eq!(app.running("api")?, ["blue"]);
    Ok(())
}
