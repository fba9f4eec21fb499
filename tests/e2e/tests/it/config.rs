//! th.toml: what it says of its own mistakes, and what it configures.

use std::fs;

use anyhow::{Context, Result};
use th_kit::{PASSWORD_IN_URL, Server, tree};

use crate::setup::{Home, cluster, files};

#[test]
fn a_mistyped_key_is_pointed_at() -> Result<()> {
    let home = Home::new("app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.backup]\nstoer = \"s\"\n")?;
    let ended = home.backup(&["-e", "p"])?.expect(2)?;
    let message = ended.message();
    assert!(
        message.contains("th.toml:5:1") && message.contains("'store'"),
        "{message}"
    );
    Ok(())
}

#[test]
fn what_comes_later_is_refused_with_a_word() -> Result<()> {
    for line in ["recipients = [\"age1x\"]", "offsite = \"sftp://a@b/c\""] {
        let toml =
            format!("app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.backup]\nstore = \"s\"\n{line}\n");
        let ended = Home::new(&toml)?.backup(&["-e", "p"])?.expect(2)?;
        assert!(ended.message().contains("later"), "{}", ended.message());
    }
    Ok(())
}

#[test]
fn an_environment_that_is_not_there_is_named_with_those_that_are() -> Result<()> {
    let home = Home::new("app = \"a\"\n[env.production]\nroot = \".\"\n")?;
    let ended = home.backup(&["-e", "staging"])?;
    assert!([2, 10].contains(&ended.code), "{}", ended.code);
    let message = ended.message();
    assert!(
        message.contains("staging") && message.contains("production"),
        "{message}"
    );
    Ok(())
}

#[test]
fn a_reference_to_a_missing_file_degrades_the_set() -> Result<()> {
    let server = cluster()?;
    let sql = "CREATE TABLE documents (path text);
               INSERT INTO documents VALUES ('2026/11/report.pdf'), ('2026/11/gone.pdf'), (NULL);";
    let database = server.database_with("refs", sql)?;
    let files = files()?;
    let url = server.url(&database).replace(PASSWORD_IN_URL, "${PW}");
    let home = Home::new(&format!(
        "app = \"a\"\n[env.test]\nroot = \".\"\nenv_file = \".env\"\n\
         [env.test.database]\nurl = \"{url}\"\n\
         [env.test.files]\nuploads = \"{}\"\nconfig = [\".env\", \"th.toml\"]\n\
         references = \"SELECT path FROM documents\"\n[env.test.backup]\nstore = \"store\"\n",
        files.path().display()
    ))?;
    fs::write(
        home.path().join(".env"),
        format!("PW='{}'\n", th_kit::PASSWORD),
    )?;
    let ended = home.backup(&["--prove", "content"])?.expect(3)?;
    assert_eq!(ended.data()["status"], "degraded");
    assert_eq!(ended.data()["config_count"], 2);
    assert_eq!(ended.data()["references"]["missing_count"], 1);
    assert!(
        ended.data()["references"]
            .to_string()
            .contains("2026/11/gone.pdf")
    );
    assert!(ended.record.to_string().contains("gone.pdf"));
    assert_eq!(ended.record["environment"], "test");
    let tree = tree(&home.path().join("store/sets"))?;
    let manifest = tree.keys().find(|path| path.ends_with("manifest.json"));
    manifest.context("the set is kept all the same")?;

    fs::write(files.path().join("2026/11/gone.pdf"), "back")?;
    let ended = home.backup(&[])?.expect(0)?;
    assert_eq!(ended.data()["status"], "complete");
    assert_eq!(ended.data()["files"]["new_count"], 1);
    Ok(())
}
