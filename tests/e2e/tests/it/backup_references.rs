//! A query for referenced files that fails: what it has not said is not taken for nothing.

use anyhow::{Result, ensure};
use th_kit::Server;

use crate::setup::{Home, cluster, files, postgres15, postgres17};

/// Backs up with a query that fails at its last row, once thousands are on their way.
fn fails_half_way(server: &dyn Server, database: &str, target: &str) -> Result<()> {
    server.psql(
        database,
        "CREATE TABLE documents AS SELECT i FROM generate_series(1, 20000) i",
    )?;
    let files = files()?;
    let home = Home::new(&format!(
        "app = \"a\"\n[env.test]\nroot = \".\"\n[env.test.database]\n{target}\n\
         [env.test.files]\nuploads = \"{}\"\n\
         references = \"SELECT CASE WHEN 1 / (20000 - i) >= 0 THEN 'none' END FROM documents\"\n\
         [env.test.backup]\nstore = \"store\"\n",
        files.path().display()
    ))?;
    let ended = home.backup(&[])?.expect(1)?;
    assert_eq!(ended.kind(), "database");
    let message = ended.message();
    ensure!(
        message.contains("division by zero (SQLSTATE 22012)"),
        "{message}"
    );
    Ok(())
}

#[test]
fn half_way_by_url() -> Result<()> {
    let server = cluster()?;
    let database = server.database("refs")?;
    let url = server.url(&database);
    fails_half_way(server, &database, &format!("url = \"{url}\""))
}

/// The first says nothing of the failure, the second not which.
#[test]
fn half_way_in_containers_of_15_and_17() -> Result<()> {
    for server in [postgres15()?, postgres17()?] {
        let database = server.database("refs")?;
        let target = format!(
            "container = \"{}\"\nname = \"{database}\"\nuser = \"postgres\"",
            server.name()
        );
        fails_half_way(server, &database, &target)?;
    }
    Ok(())
}
