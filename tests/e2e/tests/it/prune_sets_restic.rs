//! The same policies keep the same as restic forget, but for the differences that the manual names.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

#[test]
fn restic_keeps_the_same() -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/forget.sh");
    let bin = std::env::var("TH_BIN_DIR").context("TH_BIN_DIR is not set")?;
    // make bench does it with more.
    let output = Command::new("sh").arg(script).args(["30", &bin]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}{stderr}");
    let same = said
        .lines()
        .filter(|line| line.contains("the same"))
        .count();
    assert_eq!(same, said.lines().count(), "{said}");
    assert!(same >= 30, "{said}");
    Ok(())
}
