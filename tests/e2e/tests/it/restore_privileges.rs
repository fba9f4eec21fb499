//! A role that may read all of a database, and may not make all of it.

use anyhow::{Context, Result, ensure};
use th_kit::{Server, Tool};

use crate::setup::{App, bulk, cluster};

#[test]
fn what_the_role_may_not_do_is_not_the_sets_fault() -> Result<()> {
    let server = cluster()?;
    let app = App::new(server, "denied", "SELECT")?;
    let (role, name) = (format!("{}_owner", app.database), &app.database);
    server.psql(
        "postgres",
        &format!(
            "CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'denied-th'; ALTER DATABASE {name} OWNER TO {role}"
        ),
    )?;
    server.psql(name, &format!("SET ROLE {role}; {}", bulk(50)))?;
    let trigger = "CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
                   CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted();";
    server.psql(name, trigger)?;
    let url = server
        .url_with("denied-th", name)
        .replace("postgres://postgres:", &format!("postgres://{role}:"));
    let tool = |name: &str| -> Result<Tool> {
        let tool = app.store.target(Tool::new(name)?);
        Ok(tool.env("TH_DATABASE_URL", &url))
    };
    // The set is there, and what can be proven of it is.
    let made = tool("th-backup")?.args(["--prove", "content"]).run()?;
    let made = made.expect(3)?;
    let set = made.data()["set"].as_str().context("no set")?.to_owned();
    assert_eq!(made.data()["proof"], "decode", "{}", made.record);
    ensure!(
        made.message().contains("must be member of role"),
        "{}",
        made.message()
    );
    let live = app.state()?;
    for args in [
        &["verify", &set][..],
        &["apply", &set],
        &["apply", &set, "--only", "db", "--into", "denied_other"],
    ] {
        let ended = tool("th-restore")?.args(args).run()?.expect(13)?;
        let error = ended.record["error"].to_string();
        ensure!(error.contains("connect as a superuser"), "{error}");
        ensure!(app.state()? == live, "what is live was touched");
        assert_eq!(app.beside()?, Vec::<String>::new(), "{args:?}");
    }
    // Who may, can; and who may not takes nothing of it back.
    app.restore(&["verify", &set])?.expect(0)?;
    tool("th-restore")?
        .args(["verify", &set])
        .run()?
        .expect(13)?;
    let shown = app.restore(&["show", &set])?.expect(0)?;
    let levels = shown.data()["proof"]["levels"].to_string();
    ensure!(levels.contains("content"), "{levels}");
    Ok(())
}
