//! What the app writes while a restore is on its way is kept.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use th_kit::Server;

use crate::backup_failures::wait_for;
use crate::setup::{Home, bulk, cluster};

/// Tells whether a restore has listed its moves.
fn is_staged(root: &Path) -> Result<bool> {
    let Ok(asides) = fs::read_dir(root.join(".th-restore")) else {
        return Ok(false);
    };
    let mut staged = false;
    for aside in asides {
        let list = aside?.path().join("moves");
        staged |= fs::metadata(list).is_ok_and(|list| list.len() > 0);
    }
    Ok(staged)
}

#[test]
fn a_file_where_one_was_missing() -> Result<()> {
    let database = cluster()?.database_with("meanwhile", &bulk(10))?;
    let url = cluster()?.url(&database);
    let home = Home::new(&format!(
        "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.database]\nurl = \"{url}\"\n\
         [env.p.files]\nuploads = \"up\"\n[env.p.backup]\nstore = \"store\"\n\
         app_query = \"SELECT pg_sleep(3) IS NOT NULL\"\n"
    ))?;
    let up = home.path().join("up");
    fs::create_dir(&up)?;
    fs::write(up.join("file"), "of the set")?;
    home.backup(&[])?.expect(0)?;
    fs::remove_file(up.join("file"))?;

    let running = home.tool("th-restore")?.args(["apply"]).start()?;
    wait_for(|| is_staged(&up))?;
    fs::write(up.join("file"), "meanwhile")?;
    let applied = running.wait()?.expect(0)?;
    assert_eq!(fs::read_to_string(up.join("file"))?, "of the set");
    let kept = applied.data()["files"]["kept"]
        .as_str()
        .context("nothing is said to be kept")?;
    assert_eq!(
        fs::read_to_string(Path::new(kept).join("file"))?,
        "meanwhile"
    );
    home.tool("th-restore")?.args(["undo"]).run()?.expect(0)?;
    let back = fs::read_to_string(up.join("file"))?;
    ensure!(back == "meanwhile", "{back}");
    Ok(())
}
