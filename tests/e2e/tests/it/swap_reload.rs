//! Apps on TCP ports: an include file and a reload, which counts only when it is proven.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

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
struct PortApp {
    app: SlotApp,
    ports: [u16; 2],
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
    fn new() -> Result<Self> {
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
    fn site(&self, more: &str) -> Result<()> {
        let root = self.app.path("");
        let root = root.to_str().context("not UTF-8")?.trim_end_matches('/');
        let site = SITE
            .replace("@ROOT@", root)
            .replace("@APP@", self.app.name())
            .replace("@ADDRESS@", &self.app.nginx().address());
        self.app.nginx().configure(&format!("{site}\n{more}"))
    }

    fn to(&self, tag: &str) -> Result<Ended> {
        self.app.swap(&["to", "--tag", tag])?.run()
    }

    /// Runs th-swap until the traffic is in `slot`.
    fn switched(&self, args: &[&str], slot: &str) -> Result<Ended> {
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
    fn waits_for(&self, url: &str) -> Result<()> {
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

    fn include(&self) -> PathBuf {
        self.app.path("nginx/ports.conf")
    }

    /// Nothing of the failed switch is left, neither on disk nor in nginx.
    fn check_old_stays(&self, include: &str) -> Result<()> {
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

#[test]
fn there_and_back() -> Result<()> {
    let app = PortApp::new()?;
    let first = app.to("v1")?.expect(0)?;
    assert_eq!(first.data()["live"], "blue", "{}", first.record);
    assert_eq!(app.app.answer()?, "v1 blue");

    // Each asks on a connection of its own: what a reload does to kept ones is nginx's fault.
    let address = app.app.nginx().address();
    let crowd = thread::spawn(move || -> Result<u32> {
        let mut failed = 0;
        for user in 0..600 {
            let answer = Connection::to(&address)?.get("/", user);
            failed += u32::from(!answer.is_ok_and(|answer| answer.status == 200));
            thread::sleep(Duration::from_millis(5));
        }
        Ok(failed)
    });
    app.switched(&["to", "--tag", "v2"], "green")?;
    let failed = crowd
        .join()
        .map_err(|_| anyhow::anyhow!("the crowd died"))??;
    assert_eq!(failed, 0, "fresh connections lose nothing");
    assert_eq!(app.app.running("api")?, ["green"]);
    assert_eq!(app.app.answer()?, "v2 green");
    let previous = fs::read_to_string(app.app.path("nginx/ports.conf.previous"))?;
    ensure!(previous.contains("goes to blue"), "{previous}");

    app.switched(&["rollback"], "blue")?;
    assert_eq!(app.app.answer()?, "v1 blue");
    Ok(())
}

#[test]
fn one_killed_in_the_switch_is_finished_or_taken_back() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let include = fs::read_to_string(app.include())?;
    let release = app.app.swap(&["to", "--tag", "v2"])?.start()?;
    wait_for(|| Ok(fs::read_to_string(app.include())? != include))?;
    ensure!(release.kill(), "it was over already");
    app.app.swap(&["resume"])?.run()?.expect(0)?;
    app.check_old_stays(&include)?;
    app.app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn a_long_answer_is_waited_for() -> Result<()> {
    let app = PortApp::new()?;
    let url = format!("http://{}/download?seconds=5", app.app.nginx().address());
    app.waits_for(&url)
}

#[test]
fn a_client_that_came_past_nginx_is_waited_for() -> Result<()> {
    let app = PortApp::new()?;
    app.waits_for(&format!(
        "http://127.0.0.1:{}/download?seconds=5",
        app.ports[0]
    ))
}

/// An old worker may send its next request to the old slot, whatever it is at now.
#[test]
fn an_old_worker_that_is_busy_otherwise_is_waited_for() -> Result<()> {
    let app = PortApp::new()?;
    fs::write(app.app.path("nginx/big"), vec![b'x'; 1 << 20])?;
    app.waits_for(&format!("http://{}/own/big", app.app.nginx().address()))
}

#[test]
fn a_broken_configuration_is_not_touched() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let include = fs::read_to_string(app.include())?;
    app.site("nonsense on;")?;
    let ended = app.to("v2")?.expect(13)?;
    ensure!(ended.message().contains("nonsense"), "{}", ended.message());
    app.check_old_stays(&include)
}

#[test]
fn a_port_that_is_taken_keeps_the_old_configuration() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let include = fs::read_to_string(app.include())?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    // nginx -t is content with that, and so is nginx -s reload.
    app.site(&format!("server {{ listen {}; }}", taken.local_addr()?))?;
    let ended = app.to("v2")?.expect(20)?;
    ensure!(
        ended.message().contains("still could not bind"),
        "{}",
        ended.message()
    );
    app.check_old_stays(&include)?;
    // With the port free again, the same release goes through.
    drop(taken);
    app.to("v2")?.expect(0)?;
    assert_eq!(app.app.answer()?, "v2 green");
    Ok(())
}

#[test]
fn an_include_that_nginx_does_not_read_is_noticed() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let include = fs::read_to_string(app.include())?;
    let elsewhere = app.app.path("nginx/elsewhere.conf");
    fs::copy(app.include(), &elsewhere)?;
    let config = fs::read_to_string(app.app.nginx().config())?;
    fs::write(
        app.app.nginx().config(),
        config.replace("ports.conf", "elsewhere.conf"),
    )?;
    let ended = app.to("v2")?.expect(13)?;
    ensure!(
        ended.message().contains("does not include"),
        "{}",
        ended.message()
    );
    app.check_old_stays(&include)
}

#[test]
fn an_nginx_that_is_down_changes_nothing() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let include = fs::read_to_string(app.include())?;
    app.app.nginx().halt()?;
    app.to("v2")?.expect(12)?;
    app.app.nginx().resume()?;
    app.check_old_stays(&include)
}

#[test]
fn the_doctor_knows_what_a_reload_costs() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let doctor = |app: &PortApp| -> Result<Vec<String>> {
        let ended = app.app.swap(&["doctor"])?.run()?;
        let found = ended.data()["findings"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let names = found.iter().filter_map(|it| it["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    };
    let names = doctor(&app)?;
    // Debian 12 has 1.22, Debian 13 has 1.26: neither spares kept connections.
    ensure!(
        names
            .iter()
            .any(|name| name == "nginx_version" || name == "keepalive_min_timeout"),
        "{names:?}"
    );
    let good = fs::read_to_string(app.include())?;
    fs::write(app.include(), good.replace("127.0.0.1", "localhost"))?;
    let names = doctor(&app)?;
    ensure!(
        names.contains(&"upstream_elsewhere".to_owned()),
        "{names:?}"
    );
    ensure!(names.contains(&"include_missing".to_owned()), "{names:?}");
    Ok(())
}

#[test]
fn a_canary_needs_lanes_and_a_slot_needs_ports() -> Result<()> {
    let app = PortApp::new()?;
    let canary = app.app.swap(&["canary", "--tag", "v1"])?.run()?.expect(2)?;
    ensure!(canary.message().contains("lanes"), "{}", canary.message());
    let config = fs::read_to_string(app.app.path("th.toml"))?;
    let without = config.lines().filter(|line| !line.starts_with("green"));
    fs::write(
        app.app.path("th.toml"),
        without.collect::<Vec<_>>().join("\n"),
    )?;
    let ended = app.app.swap(&["status"])?.run()?.expect(2)?;
    ensure!(
        ended.message().contains("slots.ports.green"),
        "{}",
        ended.message()
    );
    Ok(())
}
