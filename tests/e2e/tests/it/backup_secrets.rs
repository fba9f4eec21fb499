//! A password is in no argument, output, journal or clear file.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use th_kit::{ArgvWatch, PASSWORD, PASSWORD_IN_URL, Server, Store, files_with};

use crate::setup::{backup, bulk, cluster, postgres15};

const SECRETS: [&str; 2] = [PASSWORD, PASSWORD_IN_URL];

fn never_shows_its_password(server: &dyn Server) -> Result<()> {
    let database = server.database_with("secret", &bulk(5_000))?;
    let store = Store::new()?;
    let watch = ArgvWatch::start(&SECRETS);
    let good = backup(server, &database, &store)?
        .args(["--prove", "content"])
        .run();
    let bad = backup(server, "nowhere", &store)?.run();
    let (seen, found) = watch.finish()?;
    assert_eq!(found, Vec::<String>::new());
    assert!(seen > 0, "pg_dump was never seen, so nothing was tested");
    let good = good?.expect(0)?;
    let bad = bad?;
    for text in [
        &good.stdout,
        &good.stderr,
        &bad.stdout,
        &bad.stderr,
        &store.journal()?,
    ] {
        assert!(
            !SECRETS.iter().any(|secret| text.contains(secret)),
            "{text}"
        );
    }
    assert!(!store.journal()?.is_empty());
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
fn by_url() -> Result<()> {
    never_shows_its_password(cluster()?)
}

#[test]
fn in_a_container() -> Result<()> {
    never_shows_its_password(postgres15()?)
}
