//! What an app with two slots looks like from outside.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::SlotApp;

impl SlotApp {
    /// Returns the slots that the lanes lead to, each once.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lanes(&self) -> Result<Vec<String>> {
        let mut slots = Vec::new();
        for entry in fs::read_dir(self.path("run/lanes"))? {
            let entry = entry?;
            // `.NN.next`, which a run that was killed has left, is none.
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let target = fs::read_link(entry.path())?;
            slots.push(
                target
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        slots.sort();
        slots.dedup();
        Ok(slots)
    }

    /// Returns what a user gets: the tag and the slot, as the app says them.
    ///
    /// # Errors
    /// Those of curl.
    pub fn answer(&self) -> Result<String> {
        let url = format!("http://{}/", self.nginx.address());
        let output = Command::new("curl")
            .args(["-sS", "--max-time", "10", &url])
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "curl: {stderr}");
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Returns the slots of which `service` runs.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn running(&self, service: &str) -> Result<Vec<String>> {
        let mut slots = Vec::new();
        for slot in ["blue", "green"] {
            let project = format!("label=com.docker.compose.project={}-test-{slot}", self.name);
            let of_service = format!("label=com.docker.compose.service={service}");
            let args = ["ps", "-q", "--filter", &project, "--filter", &of_service];
            if !self.docker(&args)?.is_empty() {
                slots.push(slot.to_owned());
            }
        }
        Ok(slots)
    }

    /// Returns the container of a service.
    ///
    /// # Errors
    /// Those of Docker; when there is none.
    pub fn container(&self, slot: &str, service: &str) -> Result<String> {
        let project = format!("label=com.docker.compose.project={}-test-{slot}", self.name);
        let of_service = format!("label=com.docker.compose.service={service}");
        let ids = self.docker(&["ps", "-aq", "--filter", &project, "--filter", &of_service])?;
        Ok(ids.lines().next().context("no such container")?.to_owned())
    }
}
