//! One table, into a database beside the live one: whole, or nothing of it.

use anyhow::{Result, ensure};
use th_kit::{Ended, Server};

use crate::setup::{App, cluster, postgres15};

/// A table that can be restored, one that needs what `--table` leaves out, and one with partitions.
const TABLES: &str = "
    CREATE TABLE marker AS SELECT 'original' AS word;
    CREATE SCHEMA kinds; CREATE TYPE kinds.kind AS ENUM ('a', 'b');
    CREATE TABLE kinds.plain AS SELECT i FROM generate_series(1, 100) i;
    CREATE TABLE kinds.needy AS SELECT 'a'::kinds.kind AS kind FROM generate_series(1, 10);
    CREATE TABLE parted (i int) PARTITION BY RANGE (i);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000);
    INSERT INTO parted SELECT i FROM generate_series(1, 100) i;";

fn table(app: &App<'_>, into: &str, table: &str) -> Result<Ended> {
    app.restore(&["apply", "--only", "db", "--into", into, "--table", table])
}

fn whole_or_nothing(server: &dyn Server) -> Result<()> {
    let app = App::new(server, "table", TABLES)?;
    app.backup()?;
    let into = format!("{}_beside", app.database);
    // Neither the database nor its schema stays.
    let ended = table(&app, &into, "kinds.needy")?.expect(1)?;
    ensure!(
        ended.message().contains("kinds.kind"),
        "{}",
        ended.message()
    );
    ensure!(!server.databases()?.contains(&into), "the database is left");

    // What was there before stays, and nothing else.
    table(&app, &into, "public.marker")?.expect(0)?;
    table(&app, &into, "kinds.needy")?.expect(1)?;
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'kinds'";
    assert_eq!(server.psql(&into, schemas)?, "0");
    assert_eq!(server.psql(&into, "SELECT word FROM marker")?, "original");
    server.psql(&into, "UPDATE marker SET word = 'theirs'")?;
    table(&app, &into, "public.marker")?.expect(1)?;
    assert_eq!(server.psql(&into, "SELECT word FROM marker")?, "theirs");

    table(&app, &into, "kinds.plain")?.expect(0)?;
    let count = "SELECT count(*) FROM kinds.plain";
    assert_eq!(server.psql(&into, count)?, "100");
    Ok(())
}

#[test]
fn whole_or_nothing_by_url() -> Result<()> {
    whole_or_nothing(cluster()?)
}

#[test]
fn whole_or_nothing_in_a_container() -> Result<()> {
    whole_or_nothing(postgres15()?)
}

#[test]
fn what_is_not_beside_or_not_a_table_is_refused() -> Result<()> {
    let app = App::new(cluster()?, "refused", TABLES)?;
    app.backup()?;
    app.server.psql(&app.database, "DROP TABLE kinds.plain")?;
    let ended = table(&app, &app.database, "kinds.plain")?.expect(2)?;
    ensure!(ended.message().contains("live"), "{}", ended.message());
    let found = "SELECT to_regclass('kinds.plain') IS NULL";
    assert_eq!(app.server.psql(&app.database, found)?, "t");

    let into = format!("{}_beside", app.database);
    let ended = table(&app, &into, "public.parted")?.expect(2)?;
    ensure!(
        ended.message().contains("partitions"),
        "{}",
        ended.message()
    );
    table(&app, &into, "public.nowhere")?.expect(10)?;
    ensure!(!app.server.databases()?.contains(&into));
    table(&app, &into, "public.parted_1")?.expect(0)?;
    let count = "SELECT count(*) FROM parted_1";
    assert_eq!(app.server.psql(&into, count)?, "100");
    Ok(())
}

#[test]
fn a_terminal_is_told_that_it_is_not_live() -> Result<()> {
    let app = App::new(cluster()?, "beside", TABLES)?;
    app.backup()?;
    let into = format!("{}_beside", app.database);
    let tool = app.tool("th-restore")?;
    let args = ["apply", "--only", "db", "--into", &into, "--quiet"];
    let shown = tool.args(args).run_on_terminal("")?;
    assert_eq!(shown.code, 0, "{}", shown.text);
    ensure!(!shown.text.contains("is live\r"), "{}", shown.text);
    ensure!(
        shown.text.contains(&format!("restored into '{into}'")),
        "{}",
        shown.text
    );
    Ok(())
}
