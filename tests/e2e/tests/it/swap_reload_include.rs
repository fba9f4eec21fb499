//! An include file that names no slot while a release is live: that is remembered.

use std::fs;

use anyhow::{Result, ensure};

use crate::swap_reload::doctor;
use crate::swap_reload_app::PortApp;

/// Replaces `from` in th.toml and in nginx's configuration.
fn rename(app: &PortApp, from: &str, to: &str) -> Result<()> {
    for file in [app.app.path("th.toml"), app.app.nginx().config()] {
        let text = fs::read_to_string(&file)?;
        fs::write(&file, text.replace(from, to))?;
    }
    Ok(())
}

/// Nothing is known of the live release but what is remembered of it.
fn is_remembered(app: &PortApp) -> Result<()> {
    let status = app.app.swap(&["status"])?.run()?.expect(4)?;
    ensure!(
        status.message().contains("but 'v1' was released in blue"),
        "{}",
        status.record
    );
    ensure!(
        !status.record.to_string().contains("lanes do"),
        "{}",
        status.record
    );
    let names = doctor(app)?;
    ensure!(names.contains(&"include_missing".to_owned()), "{names:?}");
    Ok(())
}

#[test]
fn before_the_first_release_there_is_nothing_to_say() -> Result<()> {
    let app = PortApp::new()?;
    app.app.swap(&["status"])?.run()?.expect(0)?;
    let names = doctor(&app)?;
    for name in ["include_missing", "upstream_elsewhere", "foreign_server"] {
        ensure!(!names.contains(&name.to_owned()), "{names:?}");
    }
    Ok(())
}

#[test]
fn one_that_gets_another_name_leads_to_the_live_slot() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let there = fs::read_to_string(app.include())?;
    rename(&app, "ports.conf", "renamed.conf")?;
    is_remembered(&app)?;
    let renamed = app.app.path("nginx/renamed.conf");
    // As one that was laid before the release, or by another th-swap.
    for before in [None, Some(there.replace("blue", "none"))] {
        if let Some(before) = before {
            let nobody = before.replace(&format!(":{} ", app.ports[0]), ":9 ");
            fs::write(&renamed, nobody)?;
            is_remembered(&app)?;
        }
        app.app.swap(&["init"])?.run()?.expect(0)?;
        assert_eq!(fs::read_to_string(&renamed)?, there);
    }
    app.app.nginx().reload()?;
    assert_eq!(app.app.answer()?, "v1 blue");
    app.app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}

#[test]
fn after_a_change_of_ports_the_next_release_leaves_the_live_slot_alone() -> Result<()> {
    let app = PortApp::new()?;
    app.to("v1")?.expect(0)?;
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (old, new) = (
        format!("blue = {{ api = {} }}", app.ports[0]),
        format!("blue = {{ api = {} }}", free.port()),
    );
    rename(&app, &old, &new)?;
    is_remembered(&app)?;
    let plan = app
        .app
        .swap(&["to", "--tag", "v2", "--plan"])?
        .run()?
        .expect(0)?;
    assert_eq!(plan.data()["slot"], "green", "{}", plan.record);
    assert_eq!(plan.data()["previous_slot"], "blue", "{}", plan.record);
    app.switched(&["to", "--tag", "v2"], "green")?;
    assert_eq!(app.app.answer()?, "v2 green");
    assert_eq!(app.app.running("api")?, ["green"]);
    app.app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}
