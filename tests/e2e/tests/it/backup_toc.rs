//! The table of contents that a set holds beside its dump.

use std::fs;

use anyhow::{Context, Result, ensure};
use th_kit::{Server, Store, everything};

use crate::setup::{backup, cluster, postgres15, postgres17};

/// The header up to the time it was made, and that time: seven integers of five bytes.
const BEFORE_TIME: usize = 16;
const TIME: usize = 35;

/// Returns what `pg_dump` writes when it can go back to note where the data are.
fn dump_into_file(server: &dyn Server, database: &str) -> Result<Vec<u8>> {
    let file = format!("/tmp/{database}.{}.dump", std::process::id());
    let mut pg_dump = server.client("pg_dump");
    let output = pg_dump
        .args(["-Fc", "-Z0", "-f", &file, database])
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The server reads it, for it may be in a container.
    let query = format!("SELECT encode(pg_read_binary_file('{file}'), 'hex')");
    let hex = server.psql(database, &query)?;
    if server.is_by_url() {
        fs::remove_file(&file)?;
    }
    let bytes = (0..hex.len()).step_by(2);
    bytes
        .map(|at| Ok(u8::from_str_radix(&hex[at..at + 2], 16)?))
        .collect()
}

fn is_that_of_a_file(server: &dyn Server, compression: &str) -> Result<()> {
    let database = server.database_with("toc", &everything())?;
    let store = Store::new()?;
    let ended = backup(server, &database, &store)?
        .args(["--compression", compression])
        .run()?
        .expect(0)?;
    let id = ended.data()["set"].as_str().context("no set")?;
    let objects = store.manifest(id)?["objects"].clone();
    let names = objects.as_array().into_iter().flatten();
    let name = names
        .filter_map(|object| object["name"].as_str())
        .find(|name| name.starts_with("db.toc"))
        .context("it has none")?;
    let path = store.set(id).join(name);
    let mut toc = match name.rsplit_once('.') {
        Some((_, "zst")) => zstd::decode_all(fs::File::open(path)?)?,
        _ => fs::read(path)?,
    };
    let mut dump = dump_into_file(server, &database)?;
    ensure!(toc.len() < dump.len(), "{} of {}", toc.len(), dump.len());
    dump.truncate(toc.len());
    for head in [&mut toc, &mut dump] {
        head[BEFORE_TIME - 4..BEFORE_TIME + TIME].fill(0);
    }
    ensure!(toc == dump, "it is not what pg_dump writes");
    Ok(())
}

#[test]
fn it_is_what_pg_dump_writes_into_a_file() -> Result<()> {
    is_that_of_a_file(cluster()?, "none")?;
    is_that_of_a_file(postgres15()?, "zstd:3")?;
    is_that_of_a_file(postgres17()?, "zstd:3")
}
