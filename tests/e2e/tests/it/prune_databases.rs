//! The databases that restores and proofs have left go by age, and never one that is needed.

use std::fs;
use std::thread;

use anyhow::{Result, ensure};
use th_kit::{Cluster, Ended, Server};

use crate::backup_failures::wait_for;
use crate::prune_docker_shelf::{item, items};
use crate::setup::{App, bulk, cluster, postgres15};

/// Ids of long ago.
pub(crate) const OLD: [&str; 2] = ["20200101T000000Z-00aa", "20200102T000000Z-00bb"];

/// Runs th-prune on the databases beside the app's.
pub(crate) fn prune(app: &App<'_>, args: &[&str]) -> Result<Ended> {
    app.tool("th-prune")?.args(["databases"]).args(args).run()
}

/// Makes a database beside the app's.
pub(crate) fn beside(app: &App<'_>, suffix: &str) -> Result<String> {
    let name = format!("{}_{suffix}", app.database);
    let sql = format!("CREATE DATABASE \"{name}\" TEMPLATE template0");
    app.server.psql("postgres", &sql)?;
    Ok(name)
}

fn goes_by_age(server: &dyn Server) -> Result<()> {
    let app = App::new(server, "leftovers", &bulk(10))?;
    let mut gone = Vec::new();
    for role in ["before", "restore", "undone", "verify"] {
        gone.push(beside(&app, &format!("{role}_{}", OLD[0]))?);
    }
    let now = app.server.psql(
        "postgres",
        "SELECT to_char(now() AT TIME ZONE 'UTC' - interval '1 day', 'YYYYMMDD\"T\"HH24MISS\"Z-00cc\"')",
    )?;
    // Young; of another database; not of ours.
    let mut kept = vec![
        beside(&app, &format!("before_{now}"))?,
        beside(&app, &format!("x_before_{}", OLD[0]))?,
        beside(&app, "before_the_move")?,
        beside(&app, &format!("before_{}_2", OLD[0]))?,
    ];
    kept.sort();
    let all = app.beside()?;

    let plan = prune(&app, &["--plan"])?.expect(0)?;
    assert_eq!(app.beside()?, all);
    let done = prune(&app, &[])?.expect(0)?;
    assert_eq!(items(&done)?, items(&plan)?);
    let mut left = app.beside()?;
    left.sort();
    assert_eq!(left, kept);
    assert_eq!(items(&done)?.len(), 5, "{}", done.stdout);
    let part = &done.data()["parts"][0];
    assert_eq!(
        (&part["deleted_count"], &part["kept_count"]),
        (&4.into(), &1.into())
    );
    assert!(part["freed_bytes"].as_u64() > Some(4_000_000), "{part}");
    let young = item(&done, &format!("{}_before_{now}", app.database))?;
    assert_eq!(young["kept_by"], serde_json::json!(["databases_for"]));
    assert_eq!(
        app.server.psql(&app.database, "SELECT word FROM marker")?,
        "original"
    );

    prune(&app, &["--older-than", "12h"])?.expect(0)?;
    assert_eq!(app.beside()?.len(), 3);
    Ok(())
}

#[test]
fn by_age_by_url() -> Result<()> {
    // Of its own: databases that other tests drop meanwhile make the listing of databases fail.
    goes_by_age(&Cluster::start()?)
}

#[test]
fn by_age_in_a_container() -> Result<()> {
    goes_by_age(postgres15()?)
}

#[test]
fn what_undo_needs_stays_until_it_is_old() -> Result<()> {
    let app = App::new(cluster()?, "undoable", &bulk(10))?;
    app.backup()?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    app.restore(&["apply"])?.expect(0)?;
    let kept = app.beside()?;
    ensure!(kept.len() == 1, "{kept:?}");
    let done = prune(&app, &[])?.expect(0)?;
    assert!(
        item(&done, &kept[0])?["reasons"]
            .to_string()
            .contains("undo")
    );
    app.restore(&["undo"])?.expect(0)?;
    assert_eq!(
        app.server.psql(&app.database, "SELECT word FROM marker")?,
        "live"
    );

    app.restore(&["apply"])?.expect(0)?;
    let done = prune(&app, &["--older-than", "0s"])?.expect(0)?;
    assert!(
        done.stdout.contains("cannot take the last restore back"),
        "{}",
        done.stdout
    );
    assert_eq!(app.beside()?, Vec::<String>::new());
    app.restore(&["undo"])?.expect(10)?;
    assert_eq!(
        app.server.psql(&app.database, "SELECT word FROM marker")?,
        "original"
    );
    Ok(())
}

#[test]
fn a_database_that_somebody_uses_stays() -> Result<()> {
    let servers: [&dyn Server; 2] = [cluster()?, postgres15()?];
    for server in servers {
        let app = App::new(server, "busy_leftover", &bulk(10))?;
        let used = beside(&app, &format!("before_{}", OLD[0]))?;
        let free = beside(&app, &format!("before_{}", OLD[1]))?;
        thread::scope(|scope| {
            let session = scope.spawn(|| server.psql(&used, "SELECT pg_sleep(8)"));
            wait_for(|| {
                let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{used}'");
                Ok(server.psql("postgres", &sql)? == "1")
            })?;
            let done = prune(&app, &[])?.expect(0)?;
            assert_eq!(item(&done, &used)?["action"], "keep", "{}", done.stdout);
            assert!(
                item(&done, &used)?["blocked_by"]
                    .to_string()
                    .contains("session")
            );
            assert_eq!(item(&done, &free)?["action"], "delete");
            // And it was not thrown out.
            assert!(session.join().is_ok_and(|result| result.is_ok()));
            anyhow::Ok(())
        })?;
        assert_eq!(app.beside()?, [used.as_str()]);
        prune(&app, &[])?.expect(0)?;
        assert_eq!(app.beside()?, Vec::<String>::new());
    }
    Ok(())
}

#[test]
fn what_a_subscription_uses_stays_and_a_template_is_not_ours() -> Result<()> {
    let app = App::new(cluster()?, "subscribed", &bulk(10))?;
    let used = beside(&app, &format!("before_{}", OLD[0]))?;
    let free = beside(&app, &format!("before_{}", OLD[1]))?;
    let template = |value: &str| {
        let sql = format!("ALTER DATABASE \"{used}\" WITH IS_TEMPLATE {value}");
        app.server.psql("postgres", &sql)
    };
    template("true")?;
    let done = prune(&app, &[])?.expect(0)?;
    assert_eq!(items(&done)?.len(), 1, "{}", done.stdout);
    assert_eq!(app.beside()?, [used.as_str()]);
    template("false")?;

    beside(&app, &format!("before_{}", OLD[1]))?;
    let subscription = "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p \
                        WITH (connect = false, slot_name = NONE, enabled = false)";
    app.server.psql(&used, subscription)?;
    let done = prune(&app, &[])?.expect(0)?;
    let kept = item(&done, &used)?;
    assert!(
        kept["reasons"].to_string().contains("subscription"),
        "{kept}"
    );
    assert_eq!(item(&done, &free)?["action"], "delete");
    assert_eq!(app.beside()?, [used.as_str()]);
    app.server.psql(&used, "DROP SUBSCRIPTION s")?;
    prune(&app, &[])?.expect(0)?;
    assert_eq!(app.beside()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn one_that_cannot_be_dropped_does_not_keep_the_others() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "not_mine", &bulk(10))?;
    let theirs = beside(&app, &format!("before_{}", OLD[0]))?;
    let mine = beside(&app, &format!("before_{}", OLD[1]))?;
    let password = th_kit::PASSWORD;
    server.psql(
        "postgres",
        &format!("CREATE ROLE small LOGIN PASSWORD '{password}'; ALTER DATABASE \"{mine}\" OWNER TO small"),
    )?;
    let url = server.url(&app.database).replace("//postgres:", "//small:");
    let tool = app.tool("th-prune")?.args(["databases"]);
    let ended = tool.env("TH_DATABASE_URL", &url).run()?.expect(3)?;
    assert_eq!(
        (ended.kind(), &ended.record["changed"]),
        ("partial", &true.into())
    );
    let failed = item(&ended, &theirs)?;
    assert!(failed["error"].to_string().contains("owner"), "{failed}");
    assert_eq!(item(&ended, &mine)?["action"], "delete");
    assert_eq!(app.beside()?, [theirs]);
    Ok(())
}

#[test]
fn when_it_is_not_known_what_is_needed_nothing_goes() -> Result<()> {
    let app = App::new(cluster()?, "unknown", &bulk(10))?;
    let old = beside(&app, &format!("before_{}", OLD[0]))?;
    let state = app.store.path().join("state");
    fs::create_dir_all(&state)?;
    for name in ["restore.json", "restore.pending.json"] {
        fs::write(state.join(name), "{\"database\":")?;
        let ended = prune(&app, &[])?.expect(13)?;
        assert!(ended.message().contains(name), "{}", ended.message());
        fs::remove_file(state.join(name))?;
    }
    assert_eq!(app.beside()?, [old]);
    Ok(())
}

#[test]
fn a_server_that_is_down_is_unreachable_and_a_missing_one_is_no_target() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "down", &bulk(10))?;
    beside(&app, &format!("before_{}", OLD[0]))?;
    server.halt()?;
    prune(&app, &[])?.expect(12)?;
    server.resume()?;
    assert_eq!(app.beside()?.len(), 1);
    let tool = app
        .store
        .target(th_kit::Tool::new("th-prune")?)
        .args(["databases"]);
    tool.run()?.expect(2)?;
    Ok(())
}
