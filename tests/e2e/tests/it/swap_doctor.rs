//! The doctor finds each foot-gun that is planted, and is silent on a good set-up.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use anyhow::{Result, ensure};
use serde_json::Value;
use th_kit::{SlotApp, docker};

use crate::swap_doctor_good::{Good, findings};
use crate::swap_reload_app::Networks;

const BAD: &str = r#"version: "2.4"
services:
  api:
    image: @APP@:${TH_TAG:?}
    container_name: @APP@-fixed
    environment:
      TH_SLOT: ${TH_SLOT:?}
      TH_TAG: ${TH_TAG:?}
    ports: ["@PORT@:8080"]
    stop_grace_period: 7s
    entrypoint: ["/bin/sh", "-c", "python3 -u /witness.py uvicorn --timeout-graceful-shutdown 20; true"]
    volumes:
      - ${TH_ROOT:?}/run/${TH_SLOT:?}:/run/th
      - ${TH_ROOT:?}/witness:/witness:ro
      - ${TH_ROOT:?}/witness/settings:/etc/settings:ro
      - ${TH_ROOT:?}/witness/some.sock:/some.sock
    labels: {th.app: "@APP@"}
networks:
  default:
    labels: {th.app: "@APP@"}
"#;

#[test]
fn a_good_set_up_is_silent_and_each_plant_in_nginx_is_found() -> Result<()> {
    let good = Good::new()?;
    assert_eq!(good.findings()?, [""; 0]);
    let ended = good.app.swap(&["doctor"])?.run()?.expect(0)?;
    assert_eq!(
        ended.data()["unchecked"],
        Value::Array(vec![]),
        "{}",
        ended.record
    );

    let address = good.app.nginx().address();
    let listen = format!("listen {address};");
    let reuse = format!("listen {address} reuseport;");
    good.plant(&listen, &reuse, &["advice reuseport"])?;
    good.plant(
        "proxy_http_version 1.1;",
        "",
        &["advice proxy_http_version"],
    )?;
    let keeping = "Connection \"\";\n  location / {";
    good.plant("Connection close;\n  location / {", keeping, &[])?;
    good.plant_lanes("hash $th_client;", "", &["advice hash"])?;
    good.plant_lanes(" max_fails=0;", ";", &["problem max_fails"])?;
    good.plant(
        "listen",
        "proxy_next_upstream off; listen",
        &["advice next_upstream"],
    )?;
    let twice = "proxy_next_upstream error non_idempotent; listen";
    good.plant("listen", twice, &["problem non_idempotent"])?;
    good.plant(
        "/run/maintenance",
        "/run/other",
        &["advice maintenance_page"],
    )?;
    let pass = format!("http://{}_test_api", good.app.name());
    good.plant(&pass, "http://127.0.0.1:9", &["problem not_passed"])?;
    good.plant(
        "include ",
        "nonsense on; include ",
        &["problem nginx_config"],
    )?;
    Ok(())
}

#[test]
fn lanes_that_are_not_what_nginx_reads() -> Result<()> {
    let good = Good::new()?;
    good.plant_lanes(
        "/run/lanes/07/",
        "/run/lanes/77/",
        &["problem foreign_server", "problem lanes_missing"],
    )?;
    good.plant_lanes(
        "/run/lanes/",
        "/elsewhere/",
        &["problem upstream_elsewhere"],
    )?;
    good.plant(
        "include ",
        "upstream @_test_api { server 127.0.0.1:9; } #"
            .replace('@', good.app.name())
            .as_str(),
        &["problem upstream_elsewhere"],
    )?;
    // Kept connections: the upstream says so, and the location does not end them.
    let path = good.app.path("nginx/lanes.conf");
    let lanes = fs::read_to_string(&path)?;
    fs::write(
        &path,
        lanes.replace("hash $th_client;", "hash $th_client; keepalive 16;"),
    )?;
    let quiet = good.findings()?;
    ensure!(
        !quiet.contains(&"problem upstream_keepalive".to_owned()),
        "{quiet:?}"
    );
    let keeping = "Connection \"\";\n  location / {";
    good.plant(
        "Connection close;\n  location / {",
        keeping,
        &["problem keep_alive", "problem upstream_keepalive"],
    )?;
    fs::write(&path, lanes)?;
    let main = fs::read_to_string(good.app.nginx().config())?;
    fs::write(
        good.app.nginx().config(),
        main.replace("worker_shutdown_timeout 60s;", ""),
    )?;
    assert_eq!(good.findings()?, ["advice worker_shutdown_timeout"]);
    Ok(())
}

#[test]
fn sockets_and_lanes_after_a_reboot() -> Result<()> {
    let good = Good::new()?;
    let app = &good.app;
    fs::set_permissions(app.path(""), Permissions::from_mode(0o750))?;
    assert_eq!(good.findings()?, ["problem socket_permission"]);
    fs::set_permissions(app.path(""), Permissions::from_mode(0o755))?;
    fs::set_permissions(app.path("run/blue/api.sock"), Permissions::from_mode(0o660))?;
    assert_eq!(good.findings()?, ["problem socket_permission"]);
    fs::set_permissions(app.path("run/blue/api.sock"), Permissions::from_mode(0o666))?;

    let lane = app.path("run/lanes/03");
    fs::remove_file(&lane)?;
    assert_eq!(good.findings()?, ["problem lanes_broken"]);
    symlink("../green", &lane)?;
    assert_eq!(
        good.findings()?,
        ["problem lanes_split", "problem stale_lanes"]
    );
    fs::remove_file(&lane)?;
    symlink("../blue", &lane)?;
    assert_eq!(good.findings()?, [""; 0]);

    docker(&["kill", &app.container("blue", "api")?])?;
    let after = good.findings()?;
    assert_eq!(
        after,
        ["problem stale_lanes"],
        "the socket is there, and nobody listens"
    );
    fs::remove_file(app.path("run/blue/api.sock"))?;
    assert_eq!(good.findings()?, ["problem stale_lanes"]);
    app.nginx().halt()?;
    assert_eq!(
        good.findings()?,
        ["problem nginx_down", "problem stale_lanes"]
    );
    Ok(())
}

#[test]
fn a_root_that_is_too_long_and_lanes_in_memory() -> Result<()> {
    let good = Good::new()?;
    let toml = good.app.path("th.toml");
    let text = fs::read_to_string(&toml)?;
    let long = "x".repeat(80);
    fs::write(
        &toml,
        text.replace("root = \".\"", &format!("root = \"{long}\"")),
    )?;
    fs::create_dir(good.app.path(&long))?;
    fs::write(good.app.path(&long).join(".env"), "")?;
    let found = good.findings()?;
    ensure!(
        found.contains(&"problem socket_path".to_owned()),
        "{found:?}"
    );
    ensure!(
        found.contains(&"problem lanes_missing".to_owned()),
        "{found:?}"
    );
    fs::write(&toml, text)?;
    let memory = tempfile::tempdir_in("/dev/shm")?;
    fs::rename(good.app.path("run/lanes"), good.app.path("run/before"))?;
    symlink(memory.path(), good.app.path("run/lanes"))?;
    let ended = good.app.swap(&["doctor"])?.run()?.expect(4)?;
    ensure!(ended.stdout.contains("lanes_in_memory"), "{}", ended.record);
    Ok(())
}

#[test]
fn settings_that_a_release_can_do_without() -> Result<()> {
    let good = Good::new()?;
    let log = good.app.path("nginx/access.log");
    fs::write(&log, "127.0.0.1 - - \"GET / HTTP/1.1\" 200\n")?;
    assert_eq!(good.findings()?, ["problem access_log"]);
    let config = good.app.nginx().config();
    let front = good.app.nginx().address();
    let elsewhere = format!("front = \"http://{front}\", access_log = \"nginx\"");
    good.app.write_config(&format!(
        "nginx = {{ config = \"{}\", {elsewhere} }}",
        config.display()
    ))?;
    assert_eq!(good.findings()?, ["problem access_log"], "a directory");
    let toml = fs::read_to_string(good.app.path("th.toml"))?;
    let without = toml.lines().filter(|line| !line.starts_with("probe_post"));
    fs::write(
        good.app.path("th.toml"),
        without.collect::<Vec<_>>().join("\n"),
    )?;
    assert_eq!(
        good.findings()?,
        ["advice no_probe_post", "problem access_log"]
    );
    good.app
        .write_config(&format!("nginx = {{ config = \"{}\" }}", config.display()))?;
    assert_eq!(
        good.findings()?,
        ["advice no_access_log", "advice no_front"]
    );
    Ok(())
}

#[test]
fn containers_that_were_told_to_run_badly() -> Result<()> {
    let app = SlotApp::new()?;
    let _networks = Networks(app.name().to_owned());
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let bad = BAD.replace("@APP@", app.name());
    fs::write(
        app.path("compose.yml"),
        bad.replace("@PORT@", &port.to_string()),
    )?;
    fs::write(app.path("witness/settings"), "")?;
    let _listener = UnixListener::bind(app.path("witness/some.sock"))?;
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    let found = findings(&app)?;
    for wanted in [
        "advice no_healthcheck",
        "advice single_file_mount",
        "problem container_name",
        "problem published_port",
        "problem restart_policy",
        "problem shell_form",
        "problem single_file_mount",
        "problem stop_grace_period",
    ] {
        ensure!(
            found.iter().any(|it| it == wanted),
            "no {wanted} in {found:?}"
        );
    }
    Ok(())
}
