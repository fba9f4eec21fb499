//! Apps on TCP ports: an include file and a reload, which counts only when it is proven.

use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::backup_failures::wait_for;
use crate::swap_canary_users::Connection;
use crate::swap_reload_app::PortApp;

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

/// It would come back with the slot that nobody has proven.
#[test]
fn an_nginx_that_dies_after_the_switch_has_the_old_include_again() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let include = fs::read_to_string(app.include())?;
    let release = loop {
        let mut release = app
            .app
            .swap(&["to", "--tag", "v2", "--hold", "60s"])?
            .start()?;
        let phase = || fs::read_to_string(app.app.path("state/swap.json")).unwrap_or_default();
        wait_for(|| Ok(release.is_over() || phase().contains("\"holding\"")))?;
        // An nginx before 1.27.4 may reset the receipt's kept connection.
        if !release.is_over() {
            break release;
        }
    };
    app.app.nginx().halt()?;
    let ended = release.wait()?.expect(21)?;
    ensure!(
        ended.message().contains("nginx does not run"),
        "{}",
        ended.record
    );
    assert_eq!(ended.data()["live"], "blue");
    app.app.nginx().resume()?;
    assert_eq!(app.app.answer()?, "v1 blue");
    app.app.swap(&["resume"])?.run()?.expect(0)?;
    app.check_old_stays(&include)?;
    app.app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn a_first_release_that_fails_its_users_leaves_the_include_to_nobody() -> Result<()> {
    let app = PortApp::new()?;
    let include = fs::read_to_string(app.include())?;
    let config = fs::read_to_string(app.app.path("th.toml"))?;
    fs::write(
        app.app.path("th.toml"),
        config.replace("/health/echo", "/work"),
    )?;
    app.app.sicken("v1", "work=500")?;
    let ended = app.to("v1")?.expect(20)?;
    assert_eq!(ended.data()["live"], serde_json::Value::Null);
    assert_eq!(fs::read_to_string(app.include())?, include);
    ensure!(
        app.app.answer()?.contains("502"),
        "somebody has the traffic"
    );
    // Nor does one that nginx does not switch to.
    let taken = TcpListener::bind("127.0.0.1:0")?;
    app.site(&format!("server {{ listen {}; }}", taken.local_addr()?))?;
    app.to("v2")?.expect(20)?;
    assert_eq!(fs::read_to_string(app.include())?, include);
    drop(taken);
    app.to("v2")?.expect(0)?;
    assert_eq!(app.app.answer()?, "v2 blue");
    Ok(())
}

/// Returns the names of what the doctor finds.
pub(crate) fn doctor(app: &PortApp) -> Result<Vec<String>> {
    let ended = app.app.swap(&["doctor"])?.run()?;
    let found = ended.data()["findings"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let names = found.iter().filter_map(|it| it["name"].as_str());
    Ok(names.map(str::to_owned).collect())
}

#[test]
fn the_doctor_knows_what_a_reload_costs() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
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
    ensure!(names.contains(&"localhost".to_owned()), "{names:?}");
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
