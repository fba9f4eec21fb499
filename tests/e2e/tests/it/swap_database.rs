//! The database's part: its migration head, its connections; and the memory of the machine.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::Value;
use th_kit::{Cluster, Server, SlotApp, Tool};

pub(crate) const HEAD: &str =
    "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0007')";

/// Tells th-swap of the app's database.
pub(crate) fn with_database(app: &SlotApp, cluster: &Cluster, database: &str) -> Result<()> {
    app.write_config(&format!(
        "[env.test.database]\nurl = \"{}\"",
        cluster.url(database)
    ))
}

fn swap(app: &SlotApp, args: &[&str]) -> Result<Tool> {
    app.swap(args)
}

#[test]
fn no_way_back_past_the_schema() -> Result<()> {
    let cluster = crate::setup::cluster()?;
    let database = cluster.database_with("swap", HEAD)?;
    let migrate = |head: &str| {
        cluster.psql(
            &database,
            &format!("UPDATE alembic_version SET version_num = '{head}'"),
        )
    };
    let app = SlotApp::new()?;
    with_database(&app, cluster, &database)?;
    let first = swap(&app, &["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(first.data()["head"], "0007");
    // Expanded before the release of v2: v1 was seen with it, so the way back is open.
    migrate("0008")?;
    let running = swap(&app, &["to", "--tag", "v2", "--hold", "60s"])?.start()?;
    crate::backup_failures::wait_for(|| Ok(app.path("state/head.json").exists()))?;
    swap(&app, &["rollback", "--plan"])?.run()?.expect(0)?;

    // Contracted after it: v1 was never seen with that.
    migrate("0009")?;
    crate::backup_failures::wait_for(|| {
        Ok(fs::read_to_string(app.path("state/head.json"))?.contains("0009"))
    })?;
    let refused = swap(&app, &["rollback"])?.run()?.expect(13)?;
    ensure!(refused.message().contains("0009"), "{}", refused.record);
    ensure!(
        refused
            .message()
            .contains("the app's own down-migration to 0008"),
        "{}",
        refused.record
    );
    assert_eq!(app.answer()?, "v2 green");
    migrate("0008")?;
    crate::backup_failures::wait_for(|| {
        Ok(fs::read_to_string(app.path("state/head.json"))?.contains("0008"))
    })?;
    swap(&app, &["rollback"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 blue");
    running.wait()?.expect(20)?;

    // The same without a hold.
    swap(&app, &["to", "--tag", "v3"])?.run()?.expect(0)?;
    migrate("0010")?;
    let refused = swap(&app, &["rollback"])?.run()?.expect(13)?;
    ensure!(refused.message().contains("0010"), "{}", refused.record);
    Ok(())
}

#[test]
fn too_few_connections_for_a_second_slot() -> Result<()> {
    let cluster = Cluster::start()?;
    let database = cluster.database("swap")?;
    let app = SlotApp::new()?;
    with_database(&app, &cluster, &database)?;
    swap(&app, &["to", "--tag", "v1"])?.run()?.expect(0)?;
    let mut sessions = Vec::new();
    for _ in 0..35 {
        let mut session = cluster.client("psql");
        session.args(["-qX", "-d", &database, "-c", "SELECT pg_sleep(60)"]);
        session.env("PGAPPNAME", "app");
        sessions.push(session.stdout(std::process::Stdio::null()).spawn()?);
    }
    crate::backup_failures::wait_for(|| {
        Ok(cluster.psql(
            "postgres",
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'app'",
        )? == "35")
    })?;
    let refused = swap(&app, &["to", "--tag", "v2"])?.run()?.expect(13)?;
    ensure!(
        refused.message().contains("35 database connections"),
        "{}",
        refused.record
    );
    ensure!(
        refused.message().contains("max_connections"),
        "{}",
        refused.record
    );
    assert_eq!(app.running("api")?, ["blue"]);
    for mut session in sessions {
        session.kill()?;
        session.wait()?;
    }
    Ok(())
}

/// th-swap in a mount namespace where the machine has next to no memory left.
#[test]
fn too_little_memory_for_a_second_slot() -> Result<()> {
    let app = SlotApp::released()?;
    let meminfo = app.path("meminfo");
    fs::write(
        &meminfo,
        "MemTotal: 2000000 kB\nMemFree: 900 kB\nMemAvailable: 1000 kB\n",
    )?;
    let bin = std::env::var("TH_BIN_DIR")?;
    let output = Command::new("unshare")
        .args([
            "-m",
            "sh",
            "-c",
            r#"mount --bind "$1" /proc/meminfo && exec "$2/th-swap" --config "$3" to --tag v2"#,
            "sh",
        ])
        .args([&meminfo, &fs::canonicalize(bin)?, &app.path("th.toml")])
        .output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.code() == Some(13),
        "{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let record: Value = serde_json::from_str(stdout.lines().last().unwrap_or_default())?;
    ensure!(
        record["error"]["message"].to_string().contains("memory:"),
        "{record}"
    );
    assert_eq!(app.running("api")?, ["blue"]);
    Ok(())
}
