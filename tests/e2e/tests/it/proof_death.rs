//! A proof that is killed or told to stop: its scratch database or container does not stay.

use anyhow::{Result, ensure};
use th_kit::{Running, Server, scratch_containers};

use crate::backup_failures::wait_for;
use crate::setup::{App, bulk, cluster, postgres15};

/// The two tools that prove.
const PROOFS: [(&str, &[&str]); 2] = [
    ("th-backup", &["--prove", "content"]),
    ("th-restore", &["verify"]),
];

/// What there is of the scratch of the process `pid`.
fn scratch(app: &App<'_>, pid: u32) -> Result<Vec<String>> {
    Ok([app.beside()?, scratch_containers(pid)?].concat())
}

/// Starts a proof, and waits until its scratch is there.
fn started(app: &App<'_>, name: &str, args: &[&str]) -> Result<Running> {
    let mut running = app.tool(name)?.args(args).start()?;
    wait_for(|| {
        ensure!(
            !running.is_over(),
            "it was over before its scratch was seen"
        );
        Ok(!scratch(app, running.pid())?.is_empty())
    })?;
    Ok(running)
}

fn nothing_is_left(app: &App<'_>, pid: u32) -> Result<()> {
    let left = scratch(app, pid)?;
    ensure!(left.is_empty(), "left: {left:?}");
    ensure!(app.store.strays()?.is_empty(), "{:?}", app.store.strays()?);
    wait_for(|| Ok(app.server.tool_sessions(&app.database)? == 0))
}

fn told_to_stop(server: &dyn Server) -> Result<()> {
    let app = App::new(server, "proof", &bulk(20_000))?;
    app.backup()?;
    for (name, args) in PROOFS {
        let running = started(&app, name, args)?;
        let pid = running.pid();
        running.signal("TERM")?;
        let ended = running.wait()?.expect(143)?;
        ensure!(ended.signal == Some(15), "{name}: {:?}", ended.signal);
        nothing_is_left(&app, pid).map_err(|error| error.context(name))?;
    }
    Ok(())
}

#[test]
fn told_to_stop_by_url() -> Result<()> {
    told_to_stop(cluster()?)
}

#[test]
fn told_to_stop_in_a_container() -> Result<()> {
    told_to_stop(postgres15()?)
}

/// The next run of the same tool sweeps.
fn killed(server: &dyn Server) -> Result<()> {
    let app = App::new(server, "proof", &bulk(20_000))?;
    app.backup()?;
    for (name, args) in PROOFS {
        let running = started(&app, name, args)?;
        let pid = running.pid();
        ensure!(running.kill(), "{name} was over");
        app.tool(name)?.args(args).run()?.expect(0)?;
        nothing_is_left(&app, pid).map_err(|error| error.context(name))?;
    }
    Ok(())
}

#[test]
fn killed_by_url() -> Result<()> {
    killed(cluster()?)
}

#[test]
fn killed_in_a_container() -> Result<()> {
    killed(postgres15()?)
}
