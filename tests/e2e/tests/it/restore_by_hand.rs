//! RESTORE.md: its commands, run as they stand, on a machine without these tools.

use std::fs;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use th_kit::{Server, database_state, everything};

use crate::setup::{App, postgres15};

/// Returns the shell blocks below a heading.
fn commands(notes: &str, heading: &str) -> Result<String> {
    let (_, section) = notes
        .split_once(heading)
        .with_context(|| format!("no {heading}"))?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split("```").next());
    Ok(blocks.collect())
}

fn sh(dir: &std::path::Path, script: &str) -> Result<Output> {
    let output = Command::new("sh")
        .args(["-eu", "-c", script])
        .current_dir(dir)
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}\n{stderr}");
    Ok(output)
}

#[test]
fn its_commands_bring_everything_back() -> Result<()> {
    let server = postgres15()?;
    let app = App::new(server, "byhand", &everything())?;
    let original = app.state()?;
    let set = app.store.set(&app.backup()?);
    let notes = fs::read_to_string(set.join("RESTORE.md"))?;

    sh(&set, &commands(&notes, "## Check that nothing is damaged")?)?;

    server.psql("postgres", &format!("DROP DATABASE {}", app.database))?;
    let script =
        commands(&notes, "## Database")?.replace("db=CONTAINER", &format!("db={}", server.name()));
    // The roles are there already, which RESTORE.md says is an error to pass over.
    sh(&set, &script)?;
    ensure!(
        database_state(server, &app.database)? == original.0,
        "the databases differ"
    );

    let to = tempfile::tempdir()?;
    let files = commands(&notes, "## Files")?;
    let (target, work) = (to.path().join("to"), to.path().join("work"));
    fs::create_dir_all(&work)?;
    let script = format!(
        "to='{}'\nwork='{}'\n{files}",
        target.display(),
        work.display()
    );
    sh(&set, &script)?;
    ensure!(th_kit::tree(&target)? == original.1, "the files differ");
    Ok(())
}
