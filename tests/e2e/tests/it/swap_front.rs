//! A web server that is down, or looks elsewhere.

use std::fs;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use th_kit::{SlotApp, docker};

use crate::swap_doctor_good::findings;

/// More than the app's queue holds.
const CLIENTS: u32 = 400;

#[test]
fn nginx_is_down() -> Result<()> {
    let app = SlotApp::released()?;
    app.nginx().halt()?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(12)?;
    ensure!(
        ended.message().contains("nothing answers on"),
        "{}",
        ended.record
    );
    assert_eq!(
        (app.lanes()?, app.running("api")?),
        (vec!["blue".into()], vec!["blue".into()])
    );
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    assert_eq!(status.data()["agree"], false);
    app.nginx().resume()?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn nginx_dies_while_the_slot_starts() -> Result<()> {
    let app = SlotApp::released()?;
    app.sicken("v2", "boot=3")?;
    let running = app.swap(&["to", "--tag", "v2"])?.start()?;
    crate::backup_failures::wait_for(|| Ok(app.running("api")?.len() == 2))?;
    app.nginx().halt()?;
    let ended = running.wait()?.expect(20)?;
    ensure!(
        ended.message().contains("requests failed"),
        "{}",
        ended.record
    );
    app.nginx().resume()?;
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}

/// nginx has a copy of the include file, which leads to the slot for good.
#[test]
fn nginx_reads_another_directory() -> Result<()> {
    let app = SlotApp::released()?;
    let include = app.path("nginx/lanes.conf");
    let lanes = fs::read_to_string(&include)?;
    let stale = lanes.replace(
        &app.path("run/lanes").display().to_string(),
        &app.path("old").display().to_string(),
    );
    fs::create_dir(app.path("old"))?;
    for number in 0..20 {
        std::os::unix::fs::symlink("../run/blue", app.path("old").join(format!("{number:02}")))?;
    }
    fs::write(&include, &stale)?;
    app.nginx().reload()?;

    // Before the switch all looks well. After it, nginx goes on with the old slot.
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(20)?;
    ensure!(
        ended.message().contains("nginx does not serve green"),
        "{}",
        ended.record
    );
    assert_eq!(
        (app.lanes()?, app.answer()?),
        (vec!["blue".into()], "v1 blue".into())
    );
    assert_eq!(app.running("api")?, ["blue"]);

    // Where the other directory leads elsewhere, it is seen beforehand.
    fs::write(&include, &lanes)?;
    app.nginx().reload()?;
    let _running = crate::swap_hold::holding(&app)?;
    fs::write(&include, &stale)?;
    app.nginx().reload()?;
    crate::backup_failures::wait_for(|| Ok(app.answer()? == "v1 blue"))?;
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    ensure!(
        status.message().contains("but nginx serves blue") || status.message().contains("died"),
        "{}",
        status.record
    );
    Ok(())
}

/// Has the app of blue hang, and more clients wait for it than its queue has room for. They are let go when
/// it is stopped.
fn hang(app: &SlotApp) -> Result<Vec<JoinHandle<()>>> {
    docker(&["kill", "-s", "STOP", &app.container("blue", "api")?])?;
    let wait = |_| {
        let socket = app.path("run/blue/api.sock");
        thread::spawn(move || {
            let waiting = UnixStream::connect(socket);
            let _ = waiting.map(|mut stream| stream.read(&mut [0]));
        })
    };
    Ok((0..CLIENTS).map(wait).collect())
}

#[test]
fn an_app_that_hangs_is_told_of_and_can_be_replaced() -> Result<()> {
    let app = SlotApp::released()?;
    let waiting = hang(&app)?;
    let start = Instant::now();
    let found = findings(&app)?;
    ensure!(
        found.contains(&"problem socket_full".to_owned()),
        "{found:?}"
    );
    let status = app.swap(&["status"])?.run()?.expect(4)?;
    ensure!(
        status
            .message()
            .contains("blue has the traffic, and is not healthy"),
        "{}",
        status.record
    );
    let took = start.elapsed();
    ensure!(took < Duration::from_secs(60), "looking took {took:?}");
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    for client in waiting {
        client.join().map_err(|_| anyhow!("a client died"))?;
    }
    Ok(())
}

#[test]
fn what_no_release_mends_is_refused_before_it() -> Result<()> {
    let app = SlotApp::released()?;
    let front = app.nginx().address();
    let site = fs::read_to_string(app.nginx().config())?;
    let nope = "location = /nope { return 404; }\n  location / {";
    fs::write(app.nginx().config(), site.replacen("location / {", nope, 1))?;
    app.nginx().reload()?;
    let nginx = |front: &str| app.write_config(&format!("nginx = {{ front = \"{front}\" }}"));
    app.write_config(&format!(
        "nginx = {{ front = \"http://{front}\", probes = [\"/health\", \"/nope\"] }}"
    ))?;
    crate::backup_failures::wait_for(|| {
        let ended = app.swap(&["to", "--tag", "v2", "--plan"])?.run()?;
        Ok(ended.record.to_string().contains("GET /nope answers 404"))
    })?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(13)?;
    ensure!(
        ended
            .message()
            .contains("GET /nope answers 404 though blue is healthy"),
        "{}",
        ended.record
    );
    for nowhere in ["unix:nowhere.sock", "http://nowhere.invalid"] {
        nginx(nowhere)?;
        let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(12)?;
        ensure!(
            ended.message().contains("nothing answers on"),
            "{}",
            ended.record
        );
    }
    assert_eq!(app.running("api")?, ["blue"]);
    // What the app itself fails at, a release may mend.
    nginx(&format!("http://{front}"))?;
    app.sicken("v1", "health=500")?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    Ok(())
}
