//! Without root: what cannot be seen is not taken for none.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use th_kit::SlotApp;

use crate::backup_failures::wait_for;

/// A client of a lane in a network namespace of its own, as an nginx in a container is.
struct Foreign(Child);

impl Foreign {
    fn of(app: &SlotApp) -> Result<Self> {
        let mut client = Command::new("unshare");
        client
            .args(["--net", "curl", "-sS", "-o", "/dev/null", "--unix-socket"])
            .arg(app.path("run/lanes/00/api.sock"))
            .arg("http://app/download?seconds=20");
        let client = Self(client.spawn()?);
        fs::write(app.path("nginx/pid"), client.0.id().to_string())?;
        Ok(client)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns how many connections `status` sees on blue, asked by `user`.
fn connections(app: &SlotApp, user: u32) -> Result<Value> {
    let bin = fs::canonicalize(std::env::var("TH_BIN_DIR")?)?.join("th-swap");
    let docker = fs::metadata("/var/run/docker.sock")?.gid();
    let output = Command::new("setpriv")
        .args([format!("--reuid={user}"), format!("--regid={user}")])
        .arg(format!("--groups={docker}"))
        .arg(bin)
        .arg("--config")
        .arg(app.path("th.toml"))
        .args(["status", "--json", "--quiet"])
        .current_dir("/")
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let record: Value =
        serde_json::from_slice(&output.stdout).with_context(|| stderr.to_string())?;
    let slots = record["data"]["slots"].as_array().context("no slots")?;
    let blue = slots.iter().find(|slot| slot["name"] == "blue");
    Ok(blue.context("no blue")?["connections"].clone())
}

#[test]
fn a_namespace_that_may_not_be_entered_is_unknown_and_not_empty() -> Result<()> {
    let app = SlotApp::released()?;
    let front = app.nginx().address();
    let pid = app.path("nginx/pid");
    app.write_config(&format!(
        "nginx = {{ front = \"http://{front}\", pid = \"{}\" }}",
        pid.display()
    ))?;
    let nobody = 65534;
    let mut chown = Command::new("chown");
    chown.args(["-R", &nobody.to_string()]).arg(app.path(""));
    ensure!(chown.status()?.success());
    {
        let _client = Foreign::of(&app)?;
        wait_for(|| Ok(connections(&app, 0)? == 1))?;
        assert_eq!(connections(&app, nobody)?, Value::Null);
    }
    // A web server of the host, and nothing that waits for a listener: all is seen.
    fs::write(&pid, std::process::id().to_string())?;
    wait_for(|| Ok(connections(&app, nobody)? == 0))
}
