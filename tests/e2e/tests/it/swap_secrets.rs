//! compose repeats what it cannot read, and the env file is full of secrets: nothing that lasts holds them.

use std::fs;

use anyhow::{Result, ensure};
use th_kit::{Ended, SlotApp};

const SECRET: &str = "s3cr3t";

/// Has the app's secrets in a file that compose does not read by itself.
fn app() -> Result<SlotApp> {
    let app = SlotApp::new()?;
    let config = fs::read_to_string(app.path("th.toml"))?;
    let config = config.replace("\".env\"", "\".env.production\"");
    fs::write(app.path("th.toml"), config)?;
    fs::remove_file(app.path(".env"))?;
    Ok(app)
}

fn is_kept(app: &SlotApp, ended: &Ended) -> Result<()> {
    ensure!(!ended.stdout.contains(SECRET), "{}", ended.stdout);
    ensure!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    let journal = fs::read_to_string(app.path("state/journal.jsonl"))?;
    ensure!(journal.contains("refused by compose") || journal.contains("compose up failed"));
    ensure!(!journal.contains(SECRET), "{journal}");
    Ok(())
}

#[test]
fn an_env_file_that_cannot_be_read() -> Result<()> {
    let app = app()?;
    for (env, line, why) in [
        (
            "A=1\nDB_PASSWORD=\"s3cr3t word\n",
            3,
            "unterminated quoted value",
        ),
        (
            "DB_PASSWORD=\"s3cr3t\nB=2\n",
            3,
            "unterminated quoted value",
        ),
        ("A=1\nPASS$s3cr3t=1\n", 2, "unexpected character"),
        ("A=1\n<s3cr3t>\n", 2, "unexpected character"),
    ] {
        fs::write(app.path(".env.production"), env)?;
        let ended = app.swap(&["to", "--tag", "v1"])?.run()?.expect(2)?;
        is_kept(&app, &ended)?;
        for words in [&format!("line {line} "), why, ".env.production"] {
            ensure!(ended.message().contains(words), "{}", ended.record);
        }
        assert_eq!(ended.record["changed"], false);
    }
    fs::write(app.path(".env.production"), "DB_PASSWORD=${s3cr3t\n")?;
    let ended = app.swap(&["to", "--tag", "v1"])?.run()?.expect(2)?;
    is_kept(&app, &ended)?;
    ensure!(
        ended.message().contains("invalid template"),
        "{}",
        ended.record
    );
    Ok(())
}

/// A value that got where none belongs.
#[test]
fn a_value_in_what_compose_says() -> Result<()> {
    let app = app()?;
    fs::write(app.path(".env.production"), "DB_PASSWORD='s3cr3t'\n")?;
    let compose = fs::read_to_string(app.path("compose.yml"))?;
    fs::write(app.path("compose.yml"), compose.replace("64m", "s3cr3t"))?;
    let ended = app.swap(&["to", "--tag", "v1"])?.run()?.expect(2)?;
    is_kept(&app, &ended)?;
    ensure!(ended.message().contains("***"), "{}", ended.record);

    // A dollar in a password is a variable to compose, and it warns of that one's name.
    fs::write(app.path(".env.production"), "DB_PASSWORD=\"pass$s3cr3t\"\n")?;
    fs::write(
        app.path("compose.yml"),
        compose.replace("network_mode: none", "network_mode: container:no-such-one"),
    )?;
    let ended = app.swap(&["to", "--tag", "v1"])?.run()?.expect(20)?;
    is_kept(&app, &ended)?;
    ensure!(ended.message().contains("no-such-one"), "{}", ended.record);
    Ok(())
}
