//! A password is in no argument, output, journal or clear file.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use th_kit::{ArgvWatch, Ended, PASSWORD, PASSWORD_IN_URL, Server, Store, Tool, files_with};

use crate::setup::{App, backup, bulk, cluster, postgres15};

const SECRETS: [&str; 2] = [PASSWORD, PASSWORD_IN_URL];

/// Checks that no process has a secret among its arguments while `work` runs `program`.
fn watched<T>(program: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let watch = ArgvWatch::start(program, &SECRETS);
    let done = work();
    let (seen, found) = watch.finish()?;
    assert_eq!(found, Vec::<String>::new());
    let done = done?;
    assert!(seen > 0, "{program} was never seen, so nothing was tested");
    Ok(done)
}

fn is_clean(text: &str) {
    let secret = SECRETS.iter().find(|secret| text.contains(**secret));
    assert!(secret.is_none(), "{text}");
}

fn is_said_nowhere(runs: &[Ended], store: &Store) -> Result<()> {
    for ended in runs {
        is_clean(&ended.stdout);
        is_clean(&ended.stderr);
    }
    is_clean(&store.journal()?);
    Ok(())
}

fn never_shows_its_password(server: &dyn Server) -> Result<()> {
    let app = App::new(server, "secret", &bulk(5_000))?;
    let store = &app.store;
    let runs = watched("pg_dump", || {
        let tool = app.tool("th-backup")?.args(["--prove", "content"]);
        let good = tool.run()?.expect(0)?;
        let bad = backup(server, "nowhere", store)?.run()?;
        Ok([good, bad])
    })?;
    is_said_nowhere(&runs, store)?;

    let runs = watched("pg_restore", || {
        let beside = format!("{}_beside", app.database);
        let commands = [
            &["verify"][..],
            &["apply", "--plan"],
            &["apply"],
            &["undo"],
            &["apply", "--only", "db", "--into", &beside],
            &["gc", "--older-than", "0s"],
            &["show"],
        ];
        let runs = commands.map(|args| app.restore(args)?.expect(0));
        let mut runs = runs.into_iter().collect::<Result<Vec<_>>>()?;
        // There is none left to take back, and the name is taken.
        runs.push(app.restore(&["undo"])?.expect(10)?);
        runs.push(app.restore(commands[4])?.expect(13)?);
        Ok(runs)
    })?;
    is_said_nowhere(&runs, store)?;
    let journal = store.journal()?;
    for kind in ["backup", "verified", "restored", "undone", "gc"] {
        let kind = format!("\"kind\":\"{kind}\"");
        assert!(journal.contains(&kind), "no {kind} in {journal}");
    }
    assert_eq!(
        files_with(&store.path(), &SECRETS)?,
        Vec::<std::path::PathBuf>::new()
    );
    // Not even compressed: the roles' hashes are there, their passwords are not.
    let id = store.sets()?.pop().context("no set")?;
    for entry in fs::read_dir(store.set(&id))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "zst") {
            let plain = Command::new("zstd")
                .args(["-dcq"])
                .arg(&path)
                .output()?
                .stdout;
            let text = String::from_utf8_lossy(&plain);
            assert!(
                !SECRETS.iter().any(|secret| text.contains(secret)),
                "{}",
                path.display()
            );
        }
    }
    Ok(())
}

#[test]
fn an_address_that_would_show_a_part_of_it_is_refused() -> Result<()> {
    let store = Store::new()?;
    let cluster = cluster()?;
    let urls = [
        cluster.url_with("pa?th-hidden", "postgres"),
        cluster.url_with("pa@?a=th-hidden", "postgres"),
        cluster.url("postgres?sslpassword=th-hidden"),
    ];
    for url in urls {
        for program in ["th-backup", "th-restore"] {
            let watch = ArgvWatch::start(program, &["th-hidden"]);
            let tool = store.target(Tool::new(program)?.env("TH_DATABASE_URL", &url));
            let ended = match program {
                "th-restore" => tool.args(["apply", "--only", "db"]),
                _ => tool,
            };
            let ended = ended.run()?;
            assert_eq!(watch.finish()?.1, Vec::<String>::new());
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains("hidden"), "{said}");
            // Before the first backup there is no store to restore from.
            let code = if program == "th-backup" { 2 } else { 10 };
            assert_eq!(ended.code, code, "{said}");
        }
    }
    Ok(())
}

#[test]
fn by_url() -> Result<()> {
    never_shows_its_password(cluster()?)
}

#[test]
fn in_a_container() -> Result<()> {
    never_shows_its_password(postgres15()?)
}
