//! Memory does not grow with the data.

use anyhow::{Result, ensure};
use th_kit::Tool;

use crate::backup_space::noise;
use crate::setup::{App, cluster};

/// What a tool may take, in KiB.
const MOST: u64 = 96 * 1024;
/// What three times the data may take more.
const SLACK: u64 = 8 * 1024;
/// A hundred megabytes of rows.
const ROWS: &str =
    "INSERT INTO rows SELECT i, repeat(md5(i::text), 31) FROM generate_series(1, 100000) i";

/// Runs a tool, and returns its peak in KiB.
fn peak(tool: Tool) -> Result<u64> {
    let running = tool.start()?;
    let memory = running.peak_memory();
    running.wait()?.expect(0)?;
    memory.finish()
}

/// Backs up, restores over files that are gone, and returns both peaks.
fn peaks(app: &App<'_>) -> Result<[u64; 2]> {
    let backup = peak(app.tool("th-backup")?)?;
    for entry in std::fs::read_dir(app.files.path())? {
        let path = entry?.path();
        if path.is_file() {
            std::fs::remove_file(path)?;
        }
    }
    let restore = peak(app.tool("th-restore")?.args(["apply"]))?;
    Ok([backup, restore])
}

#[test]
fn it_stays_as_it_is_from_100_mb_to_300_mb() -> Result<()> {
    let sql = "CREATE TABLE rows (i int, x text) WITH (autovacuum_enabled = off)";
    let app = App::new(cluster()?, "memory", &format!("{sql}; {ROWS}"))?;
    noise(&app.files.path().join("noise"), 100)?;
    let small = peaks(&app)?;
    app.server.psql(&app.database, &format!("{ROWS}; {ROWS}"))?;
    noise(&app.files.path().join("more"), 200)?;
    let large = peaks(&app)?;
    let told = format!("th-backup and th-restore: {small:?} KiB, then {large:?} KiB");
    for (small, large) in small.iter().zip(&large) {
        ensure!(*large <= MOST && *large <= small + SLACK, "{told}");
    }
    Ok(())
}
