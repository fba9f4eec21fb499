//! The database called `postgres`, which the official image makes when it is told of no other.

use std::fs;

use anyhow::{Result, ensure};
use tempfile::TempDir;
use th_kit::{Cluster, ContainerServer, Ended, Server, Store, Tool};

use crate::setup::{bulk, files};

struct Subject<'a> {
    server: &'a dyn Server,
    store: Store,
    files: TempDir,
}

impl Subject<'_> {
    fn run(&self, tool: &str, args: &[&str]) -> Result<Ended> {
        let tool = self.store.target(Tool::new(tool)?);
        let tool = self.server.target(tool, "postgres").args(args);
        tool.args(["--files".as_ref(), self.files.path().as_os_str()])
            .run()
    }

    fn is_wholly(&self, word: &str) -> Result<()> {
        let found = self.server.psql("postgres", "SELECT word FROM marker")?;
        ensure!(found == word, "the database is {found}, not {word}");
        let live = fs::read(self.files.path().join("2026/1.txt"))? == b"live";
        ensure!(live == (word == "live"), "the files are not {word}");
        Ok(())
    }

    fn beside(&self) -> Result<usize> {
        let names = self.server.databases()?;
        Ok(names
            .iter()
            .filter(|it| it.starts_with("postgres_"))
            .count())
    }
}

fn there_and_back(server: &dyn Server) -> Result<()> {
    let subject = Subject {
        server,
        store: Store::new()?,
        files: files()?,
    };
    server.psql("postgres", &bulk(100))?;
    subject.run("th-backup", &[])?.expect(0)?;
    subject
        .run("th-restore", &["verify", "--level", "content"])?
        .expect(0)?;
    server.psql("postgres", "UPDATE marker SET word = 'live'")?;
    fs::write(subject.files.path().join("2026/1.txt"), "live")?;

    for _ in 0..2 {
        subject.run("th-restore", &["apply"])?.expect(0)?;
        subject.is_wholly("original")?;
        subject.run("th-restore", &["undo"])?.expect(0)?;
        subject.is_wholly("live")?;
    }
    assert_eq!(subject.beside()?, 2);
    subject
        .run("th-restore", &["gc", "--older-than", "0s"])?
        .expect(0)?;
    assert_eq!(subject.beside()?, 0);
    let into = ["apply", "--only", "db", "--into", "beside"];
    subject.run("th-restore", &into)?.expect(0)?;
    assert_eq!(
        server.psql("beside", "SELECT word FROM marker")?,
        "original"
    );
    // Nobody sits where new databases are made of.
    server
        .psql("postgres", "CREATE DATABASE afterwards")
        .map(drop)
}

#[test]
fn there_and_back_by_url() -> Result<()> {
    there_and_back(&Cluster::start()?)
}

#[test]
fn there_and_back_in_a_container() -> Result<()> {
    there_and_back(&ContainerServer::start(15)?)
}
