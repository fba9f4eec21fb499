//! th.toml: what it says of its own mistakes, and what it configures.

use std::fs;

use anyhow::{Context, Result};
use th_kit::{PASSWORD_IN_URL, Server, Tool, tree};

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
fn a_value_that_makes_no_sense_is_pointed_at() -> Result<()> {
    let toml = |section: &str, line: &str| {
        format!(
            "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.backup]\nstore = \"s\"\n\
             [env.p.{section}]\n{line}\n"
        )
    };
    let backup = &["th-backup"][..];
    for (section, line, at, command) in [
        (
            "files",
            "exclude = [\"a[b\"]",
            "7:11: files.exclude",
            backup,
        ),
        (
            "retention",
            "zone = \"Nowhere\"",
            "7:8: retention.zone",
            &["th-prune", "sets"],
        ),
        (
            "database",
            "url = \"postgres://a:${NOT}@b/c\"",
            "7:7: database.url",
            backup,
        ),
    ] {
        let home = Home::new(&toml(section, line))?;
        let ended = home
            .tool(command[0])?
            .args(&command[1..])
            .run()?
            .expect(2)?;
        let message = ended.message();
        assert!(message.contains(&format!("th.toml:{at}")), "{message}");
        assert!(!ended.record["error"]["hint"].is_null(), "{message}");
    }

    let wrong =
        toml("files", "uploads = \".\"").replace("\"s\"", "\"s\"\ncompression = \"zstd:99\"");
    let home = Home::new(&wrong)?;
    let ended = home.backup(&[])?.expect(2)?;
    let message = ended.message();
    assert!(
        message.contains("th.toml:6:15: backup.compression"),
        "{message}"
    );
    // A flag is in no file.
    let ended = home.backup(&["--compression", "zstd:98"])?.expect(2)?;
    assert!(!ended.message().contains("th.toml"), "{}", ended.message());
    assert!(!ended.record["error"]["hint"].is_null());
    Ok(())
}

#[test]
fn a_file_that_cannot_be_read_gives_a_hint() -> Result<()> {
    let home = Home::new("app = \"a\"\n[env.p]\nroot = \".\"\nenv_file = \".env\"\n")?;
    let ended = home.backup(&[])?.expect(2)?;
    assert!(ended.message().contains(".env"), "{}", ended.message());
    assert!(!ended.record["error"]["hint"].is_null());
    Ok(())
}

/// A store says where to, and not what: that is what th.toml is there for.
#[test]
fn a_store_alone_does_not_replace_the_configuration() -> Result<()> {
    let home = Home::new(
        "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.files]\nuploads = \"files\"\n\
         [env.p.backup]\nstore = \"configured\"\n",
    )?;
    fs::create_dir(home.path().join("files"))?;
    let store = home.path().join("given");
    let given = store.to_string_lossy();
    let tool = || Ok::<_, anyhow::Error>(Tool::new("th-backup")?.within(home.path()));
    for tool in [
        tool()?.args(["--store", &given]),
        tool()?.env("TH_STORE", &given),
    ] {
        let ended = tool.run()?.expect(0)?;
        assert_eq!(ended.record["environment"], "p");
        assert_eq!(ended.data()["store"], *given);
    }
    // With something to act on, the flags suffice.
    let ended = tool()?.args(["--store", &given, "--files", "files"]);
    let ended = ended.run()?.expect(0)?;
    assert!(ended.record["environment"].is_null(), "{}", ended.record);
    // Where nothing says which of two is meant, a store can be looked at all the same.
    let config = home.path().join("th.toml");
    let two = fs::read_to_string(&config)? + "[env.q]\nroot = \"q\"\n";
    fs::write(config, two)?;
    let list = Tool::new("th-restore")?.within(home.path());
    let list = list.args(["list", "--store", &given]).run()?.expect(0)?;
    assert_eq!(list.data()["count"], 3);
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

#[test]
fn a_restore_made_beside_th_toml_is_taken_back_from_anywhere() -> Result<()> {
    let home = Home::new(
        "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.files]\nuploads = \"files\"\n\
         [env.p.backup]\nstore = \"store\"\n",
    )?;
    let file = home.path().join("files/a");
    fs::create_dir(home.path().join("files"))?;
    fs::write(&file, "first")?;
    let beside = |name| Ok::<_, anyhow::Error>(Tool::new(name)?.within(home.path()));
    let ended = beside("th-backup")?.run()?.expect(0)?;
    assert_eq!(
        ended.data()["store"],
        *home.path().join("store").to_string_lossy()
    );
    fs::write(&file, "second")?;
    beside("th-restore")?.args(["apply"]).run()?.expect(0)?;
    assert_eq!(fs::read_to_string(&file)?, "first");
    home.tool("th-restore")?.args(["undo"]).run()?.expect(0)?;
    assert_eq!(fs::read_to_string(&file)?, "second");
    Ok(())
}

#[test]
fn an_address_comes_with_its_own_database() -> Result<()> {
    let server = cluster()?;
    let (live, copy) = (server.database("live")?, server.database("copy")?);
    let url = server.url(&live);
    let home = Home::new(&format!(
        "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.database]\nurl = \"{url}\"\n\
         name = \"{live}\"\nuser = \"nobody\"\n[env.p.backup]\nstore = \"store\"\n"
    ))?;
    // As by --url, where the password would be for all to see.
    let tool = home.tool("th-backup")?.args(["-e", "p", "--plan"]);
    let ended = tool.env("TH_DATABASE_URL", &server.url(&copy)).run()?;
    let ended = ended.expect(0)?;
    let database = ended.data()["database"].as_str().unwrap_or_default();
    assert!(database.starts_with(&format!("{copy} on ")), "{database}");
    Ok(())
}

/// What fails once the environment is known is in its journal.
#[test]
fn a_pattern_that_is_none_is_an_error_of_the_environment() -> Result<()> {
    let toml = |pattern: &str| {
        format!(
            "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.files]\nuploads = \"files\"\n\
             exclude = [\"{pattern}\"]\n[env.p.backup]\nstore = \"store\"\n"
        )
    };
    let home = Home::new(&toml("a"))?;
    fs::create_dir(home.path().join("files"))?;
    home.backup(&[])?.expect(0)?;
    fs::write(home.path().join("th.toml"), toml("a[b"))?;
    let ended = home.backup(&["-e", "p"])?.expect(2)?;
    assert_eq!(ended.record["environment"], "p");
    let journal = fs::read_to_string(home.path().join("state/journal.jsonl"))?;
    let last = journal.lines().last().unwrap_or_default();
    assert!(last.contains("files.exclude"), "{last}");
    Ok(())
}
