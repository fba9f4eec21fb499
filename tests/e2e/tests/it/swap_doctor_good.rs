//! A set-up in which the doctor finds no fault, to plant some in.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use th_kit::SlotApp;

const COMPOSE: &str = r#"version: "2.4"
services:
  api:
    image: @APP@:${TH_TAG:?}
    environment:
      TH_SLOT: ${TH_SLOT:?}
      TH_TAG: ${TH_TAG:?}
    network_mode: none
    restart: unless-stopped
    stop_grace_period: 30s
    command: ["python3", "-u", "/witness.py", "uvicorn", "--timeout-graceful-shutdown=20"]
    healthcheck: {test: ["CMD", "true"], interval: 60s}
    volumes:
      - ${TH_ROOT:?}/run/${TH_SLOT:?}:/run/th
      - ${TH_ROOT:?}/witness:/witness:ro
    labels: {th.app: "@APP@"}
"#;

const SITE: &str = r#"
map $cookie_th_client $th_client { default $cookie_th_client; "" $remote_addr; }
map $http_upgrade $th_connection { default upgrade; "" close; }
log_format th escape=json '{"slot":"$upstream_http_x_th_slot","client":"$th_client","upstream_addr":"$upstream_addr",'
  '"upstream_status":"$upstream_status","upstream_response_time":"$upstream_response_time"}';
access_log @ROOT@/nginx/access.log th;
include @ROOT@/nginx/lanes.conf;
server {
  listen @ADDRESS@;
  proxy_http_version 1.1;
  proxy_set_header Connection close;
  location / {
    if (-f @ROOT@/run/maintenance) { return 503; }
    proxy_pass http://@APP@_test_api;
  }
  location /ws {
    proxy_pass http://@APP@_test_api;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $th_connection;
  }
}
"#;

/// A set-up without fault.
pub(crate) struct Good {
    pub(crate) app: SlotApp,
    site: String,
}

impl Good {
    pub(crate) fn new() -> Result<Self> {
        let app = SlotApp::new()?;
        let root = app.path("");
        let root = root.to_str().context("not UTF-8")?.trim_end_matches('/');
        let site = SITE
            .replace("@ROOT@", root)
            .replace("@APP@", app.name())
            .replace("@ADDRESS@", &app.nginx().address());
        fs::write(
            app.path("compose.yml"),
            COMPOSE.replace("@APP@", app.name()),
        )?;
        let nginx = app.nginx();
        app.write_config(&format!(
            "nginx = {{ front = \"http://{}\", config = \"{}\", access_log = \"nginx/access.log\" }}",
            nginx.address(),
            nginx.config().display()
        ))?;
        app.nginx().configure(&site)?;
        app.nginx().reload()?;
        app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
        Ok(Self { app, site })
    }

    /// Returns the findings, `severity name`; what this machine's temporary directory and memory
    /// are like is not the set-up's fault.
    pub(crate) fn findings(&self) -> Result<Vec<String>> {
        findings(&self.app)
    }

    /// Plants a change of nginx's configuration, and expects `wanted` and nothing else.
    pub(crate) fn plant(&self, from: &str, to: &str, wanted: &[&str]) -> Result<()> {
        let site = self.site.replace(from, to);
        ensure!(site != self.site, "'{from}' is not there");
        self.app.nginx().configure(&site)?;
        assert_eq!(self.findings()?, wanted, "{from} -> {to}");
        self.app.nginx().configure(&self.site)
    }

    /// Plants a change of the include file likewise.
    pub(crate) fn plant_lanes(&self, from: &str, to: &str, wanted: &[&str]) -> Result<()> {
        let path = self.app.path("nginx/lanes.conf");
        let good = fs::read_to_string(&path)?;
        let bad = good.replace(from, to);
        ensure!(bad != good, "'{from}' is not there");
        fs::write(&path, bad)?;
        assert_eq!(self.findings()?, wanted, "{from} -> {to}");
        Ok(fs::write(&path, good)?)
    }
}

/// Returns the findings of an app, as [`Good::findings`] does.
pub(crate) fn findings(app: &SlotApp) -> Result<Vec<String>> {
    let ended = app.swap(&["doctor"])?.run()?;
    let found = ended.data()["findings"].as_array().context("no findings")?;
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let of_the_machine = ["lanes_in_memory", "memory"];
    let mut names = Vec::new();
    let mut problems = false;
    for it in found {
        problems |= it["severity"] == "problem";
        ensure!(
            !text(it, "fix").is_empty() && !text(it, "found").is_empty(),
            "{it}"
        );
        if !of_the_machine.contains(&text(it, "name").as_str()) {
            names.push(format!("{} {}", text(it, "severity"), text(it, "name")));
        }
    }
    assert_eq!(ended.code, if problems { 4 } else { 0 }, "{}", ended.record);
    names.sort();
    names.dedup();
    Ok(names)
}
