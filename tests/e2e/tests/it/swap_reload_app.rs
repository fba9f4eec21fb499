//! An app on TCP ports, and the nginx before it.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use th_kit::{Ended, SlotApp};

use crate::backup_failures::wait_for;
use crate::swap_canary_users::Connection;

const COMPOSE: &str = r#"version: "2.4"
services:
  api:
    image: @APP@:${TH_TAG:?}
    environment:
      PORT: "8080"
      TH_SLOT: ${TH_SLOT:?}
      TH_TAG: ${TH_TAG:?}
    ports: ["127.0.0.1:${TH_PORT_API:?}:8080"]
    stop_grace_period: 25s
    volumes: ["${TH_ROOT:?}/witness:/witness:ro"]
    labels: {th.app: "@APP@"}
networks:
  default:
    labels: {th.app: "@APP@"}
"#;

const SITE: &str = r#"
include @ROOT@/nginx/ports.conf;
keepalive_requests 100000;
server {
  listen @ADDRESS@;
  proxy_http_version 1.1;
  proxy_set_header Connection close;
  location / { proxy_pass http://@APP@_test_api; }
  location /own/ { alias @ROOT@/nginx/; limit_rate 200k; }
}
"#;

/// An app on ports, and what is to be cleaned up of it.
pub(crate) struct PortApp {
    pub(crate) app: SlotApp,
    pub(crate) ports: [u16; 2],
    _networks: Networks,
}

/// compose makes a network for each slot.
pub(crate) struct Networks(pub(crate) String);

impl Drop for Networks {
    fn drop(&mut self) {
        let script = r#"docker ps -aq --filter "label=th.app=$1" | xargs -r docker rm -f -v
            docker network ls -q --filter "label=th.app=$1" | xargs -r docker network rm"#;
        let mut shell = Command::new("sh");
        let _ = shell.args(["-c", script, "sh", &self.0]).output();
    }
}

impl PortApp {
    pub(crate) fn new() -> Result<Self> {
        let app = SlotApp::new()?;
        let networks = Networks(app.name().to_owned());
        let ports = [free_port()?, free_port()?];
        let config = format!(
            "app = \"{}\"\n[env.test]\nroot = \".\"\nenv_file = \".env\"\n[env.test.slots]\n\
             compose = \"compose.yml\"\nservices = [\"api\"]\nmode = \"reload\"\n\
             probe_post = \"/health/echo\"\nhold = \"0s\"\ndrain = \"10s\"\nready = \"20s\"\n\
             nginx = {{ front = \"http://{}\", include = \"nginx/ports.conf\", config = \"{}\" }}\n\
             [env.test.slots.ports]\nblue = {{ api = {} }}\ngreen = {{ api = {} }}\n",
            app.name(),
            app.nginx().address(),
            app.nginx().config().display(),
            ports[0],
            ports[1],
        );
        fs::write(app.path("th.toml"), config)?;
        fs::write(
            app.path("compose.yml"),
            COMPOSE.replace("@APP@", app.name()),
        )?;
        app.swap(&["init"])?.run()?.expect(0)?;
        let this = Self {
            app,
            ports,
            _networks: networks,
        };
        this.site("")?;
        this.app.nginx().halt()?;
        this.app.nginx().resume()?;
        Ok(this)
    }

    /// Writes nginx's configuration, with `more` at its http level.
    pub(crate) fn site(&self, more: &str) -> Result<()> {
        let root = self.app.path("");
        let root = root.to_str().context("not UTF-8")?.trim_end_matches('/');
        let site = SITE
            .replace("@ROOT@", root)
            .replace("@APP@", self.app.name())
            .replace("@ADDRESS@", &self.app.nginx().address());
        self.app.nginx().configure(&format!("{site}\n{more}"))
    }

    pub(crate) fn to(&self, tag: &str) -> Result<Ended> {
        self.app.swap(&["to", "--tag", tag])?.run()
    }

    /// Runs th-swap until the traffic is in `slot`.
    pub(crate) fn switched(&self, args: &[&str], slot: &str) -> Result<Ended> {
        for _ in 0..4 {
            let ended = self.app.swap(args)?.run()?;
            if !is_reset(&ended) {
                let ended = ended.expect(0)?;
                assert_eq!(ended.data()["live"], slot);
                return Ok(ended);
            }
        }
        bail!("four reloads in a row reset the receipt's connection")
    }

    /// Switches while a megabyte from `url` is on its way for 5 s, and checks that the old slot and
    /// the old workers were waited for.
    pub(crate) fn waits_for(&self, url: &str) -> Result<()> {
        self.to("v1")?.expect(0)?;
        for _ in 0..4 {
            let release = self.app.swap(&["to", "--tag", "v2"])?.start()?;
            wait_for(|| Ok(self.app.running("api")? == ["blue", "green"]))?;
            // Into a file: a pipe that nobody reads would hold the answer up.
            let file = self.app.path("download");
            let mut download = Command::new("curl")
                .args(["-sS", url, "-o"])
                .arg(&file)
                .spawn()?;
            let ended = release.wait()?;
            ensure!(download.wait()?.success(), "the download was cut");
            assert_eq!(fs::metadata(&file)?.len(), 1 << 20);
            if !is_reset(&ended) {
                let ended = ended.expect(0)?;
                let receipt = &ended.data()["receipt"];
                assert!(receipt["drain_seconds"].as_f64() > Some(0.5), "{receipt}");
                assert_eq!(receipt["cut"], 0);
                return Ok(());
            }
        }
        bail!("four reloads in a row reset the receipt's connection")
    }

    pub(crate) fn include(&self) -> PathBuf {
        self.app.path("nginx/ports.conf")
    }

    /// Nothing of the failed switch is left, neither on disk nor in nginx.
    pub(crate) fn check_old_stays(&self, include: &str) -> Result<()> {
        assert_eq!(fs::read_to_string(self.include())?, include);
        assert_eq!(self.app.running("api")?, ["blue"]);
        for user in 0..20 {
            let answer = Connection::to(&self.app.nginx().address())?.get("/", user)?;
            assert_eq!(answer.header("x-th-slot"), Some("blue"));
        }
        Ok(())
    }
}

/// An nginx before 1.27.4 may reset the receipt's kept connection: that is told and taken back, and
/// tried again.
fn is_reset(ended: &Ended) -> bool {
    ended.code == 20 && ended.message().contains("over a kept connection")
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
