//! Docker, and the image of the app that misbehaves on demand.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

static BUILD: Mutex<bool> = Mutex::new(false);

/// Runs docker, and returns what it printed.
///
/// # Errors
/// What docker said.
pub fn docker(args: &[&str]) -> Result<String> {
    docker_on(None, args)
}

/// Runs docker on the engine of `host`, or on the usual one, and returns what it printed.
///
/// # Errors
/// What docker said.
pub fn docker_on(host: Option<&str>, args: &[&str]) -> Result<String> {
    let output = Command::new("docker")
        .args(args)
        .envs(host.map(|host| ("DOCKER_HOST", host)))
        .output()
        .context("cannot run docker")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "docker {args:?}: {stderr}");
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}

/// The image's name.
pub(super) const IMAGE: &str = "th-witness:latest";

/// Builds the app's image, once for each process; what is unchanged Docker takes from its cache.
pub(super) fn build() -> Result<()> {
    let mut built = BUILD.lock().unwrap_or_else(PoisonError::into_inner);
    if !*built {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../images/witness");
        let output = Command::new("docker")
            .args(["build", "--quiet", "--tag", IMAGE])
            .arg(dir)
            .env("DOCKER_BUILDKIT", "0")
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "docker build: {stderr}");
        *built = true;
    }
    Ok(())
}
