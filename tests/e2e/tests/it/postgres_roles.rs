//! Roles: which one a run has, and what one that is no superuser may see.

use std::thread;

use anyhow::{Context, Result, ensure};
use th_kit::{Cluster, Ended, PASSWORD, Server};

use crate::backup_failures::wait_for;
use crate::prune_databases::{OLD, beside};
use crate::prune_docker_shelf::item;
use crate::setup::{App, bulk, cluster};

/// A server whose databases, but the app's, the role `small` may not connect to.
fn small(server: &Cluster) -> Result<App<'_>> {
    let app = App::new(server, "mine", &bulk(10))?;
    server.database("theirs")?;
    let sql = format!(
        "CREATE ROLE small LOGIN CREATEDB PASSWORD '{PASSWORD}';
         REVOKE CONNECT ON DATABASE theirs_{} FROM PUBLIC;
         ALTER DATABASE {} OWNER TO small;",
        server
            .databases()?
            .iter()
            .find_map(|name| name.strip_prefix("theirs_").map(str::to_owned))
            .context("it is not there")?,
        app.database
    );
    server.psql("postgres", &sql)?;
    Ok(app)
}

fn run_as_small(app: &App<'_>, server: &Cluster, tool: &str, args: &[&str]) -> Result<Ended> {
    let url = server.url(&app.database).replace("//postgres:", "//small:");
    let tool = app.tool(tool)?.args(args);
    tool.env("TH_DATABASE_URL", &url).run()
}

#[test]
fn the_databases_of_others_are_not_looked_at() -> Result<()> {
    let server = Cluster::start()?;
    let app = small(&server)?;
    app.backup()?;
    let old = beside(&app, &format!("before_{}", OLD[0]))?;
    server.psql(
        "postgres",
        &format!("ALTER DATABASE \"{old}\" OWNER TO small"),
    )?;
    run_as_small(
        &app,
        &server,
        "th-restore",
        &["gc", "--plan", "--older-than", "0s"],
    )?
    .expect(0)?;
    let done = run_as_small(&app, &server, "th-prune", &["databases"])?.expect(0)?;
    ensure!(
        item(&done, &old)?["size_bytes"].as_u64() > Some(1_000_000),
        "{}",
        done.stdout
    );
    assert_eq!(app.beside()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_plan_counts_the_sessions_of_others() -> Result<()> {
    let server = Cluster::start()?;
    let app = small(&server)?;
    let used = beside(&app, &format!("before_{}", OLD[0]))?;
    server.psql(
        "postgres",
        &format!("ALTER DATABASE \"{used}\" OWNER TO small"),
    )?;
    thread::scope(|scope| {
        let session = scope.spawn(|| server.psql(&used, "SELECT pg_sleep(6)"));
        wait_for(|| {
            let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{used}'");
            Ok(server.psql("postgres", &sql)? == "1")
        })?;
        for args in [&["databases", "--plan"][..], &["databases"]] {
            let ended = run_as_small(&app, &server, "th-prune", args)?.expect(0)?;
            let found = item(&ended, &used)?;
            assert_eq!(found["action"], "keep", "{args:?}: {found}");
        }
        assert!(session.join().is_ok_and(|result| result.is_ok()));
        anyhow::Ok(())
    })
}

#[test]
fn a_name_that_is_mistyped_is_no_empty_answer() -> Result<()> {
    let app = App::new(cluster()?, "typed", &bulk(10))?;
    let tool = app
        .tool("th-prune")?
        .args(["databases", "--database", "typd"]);
    let ended = tool.run()?.expect(10)?;
    ensure!(
        ended.message().contains("has no database 'typd'"),
        "{}",
        ended.message()
    );
    Ok(())
}

/// psql goes by the user in the address, and pg_dumpall by the one beside it.
#[test]
fn a_user_beside_the_address_is_the_one_of_the_whole_run() -> Result<()> {
    let server = Cluster::start()?;
    let app = small(&server)?;
    // What the address names may not read who is who; what is beside it may.
    let url = server.url(&app.database).replace("//postgres:", "//small:");
    let tool = |name: &str| app.tool(name).map(|tool| tool.env("TH_DATABASE_URL", &url));
    let made = tool("th-backup")?.args(["--user", "postgres"]).run()?;
    let made = made.expect(0)?;
    assert_eq!(made.record["warnings"].to_string(), "[]");
    tool("th-restore")?
        .args(["--user", "postgres", "apply"])
        .run()?
        .expect(0)?;
    // And the other way round.
    server.psql("postgres", "GRANT pg_read_all_data TO small")?;
    let args = ["--user", "small", "--prove", "none"];
    let tool = app.tool("th-backup")?.args(args);
    let made = tool.run()?.expect(0)?;
    let warnings = made.record["warnings"].to_string();
    ensure!(warnings.contains("is no superuser"), "{warnings}");
    Ok(())
}
