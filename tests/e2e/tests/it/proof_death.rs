//! A proof that is killed or told to stop: its scratch database or container does not stay.

use anyhow::{Result, bail, ensure};
use serde_json::json;
use th_kit::{Cluster, Ended, Running, Server, scratch_containers};

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

/// Starts a proof, and waits until its scratch is there. On a busy machine the look can come too
/// late: then it is started anew.
fn started(app: &App<'_>, name: &str, args: &[&str]) -> Result<Running> {
    for _ in 0..5 {
        let mut running = app.tool(name)?.args(args).start()?;
        wait_for(|| Ok(running.is_over() || !scratch(app, running.pid())?.is_empty()))?;
        if !running.is_over() {
            return Ok(running);
        }
        running.wait()?.expect(0)?;
    }
    bail!("{name} was always over before its scratch was seen");
}

fn nothing_is_left(app: &App<'_>, pid: u32) -> Result<()> {
    let left = scratch(app, pid)?;
    ensure!(left.is_empty(), "left: {left:?}");
    ensure!(app.store.strays()?.is_empty(), "{:?}", app.store.strays()?);
    wait_for(|| Ok(app.server.tool_sessions(&app.database)? == 0))
}

/// The set was published before its proof began: the record must say so.
fn is_told_of(app: &App<'_>, ended: &Ended) -> Result<()> {
    ensure!(ended.record["changed"] == true, "{}", ended.record);
    let newest = app.store.sets()?.pop();
    let (set, proof) = (&ended.data()["set"], &ended.data()["proof"]);
    ensure!(*set == json!(newest), "{}", ended.record);
    // How far it came before the end.
    ensure!(
        *proof == "decode" || *proof == "restore",
        "{}",
        ended.record
    );
    let message = ended.message();
    let (id, next) = (newest.unwrap_or_default(), "th-restore verify");
    ensure!(message.contains(&id) && message.contains(next), "{message}");
    Ok(())
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
        if name == "th-backup" {
            is_told_of(&app, &ended)?;
        } else {
            ensure!(ended.record["changed"] == false, "{}", ended.record);
        }
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

#[test]
fn a_server_that_dies_under_the_proof() -> Result<()> {
    let server = Cluster::start()?;
    let app = App::new(&server, "proof", &bulk(20_000))?;
    let running = started(&app, "th-backup", &["--prove", "content"])?;
    let pid = running.pid();
    server.halt()?;
    let ended = running.wait()?.expect(3)?;
    ensure!(ended.kind() == "partial", "{}", ended.record);
    is_told_of(&app, &ended)?;
    server.resume()?;
    let verified = app.restore(&["verify"])?.expect(0)?;
    ensure!(verified.data()["set"] == ended.data()["set"]);
    nothing_is_left(&app, pid)
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
        // The tools of other tests sweep too, and may still be at it.
        wait_for(|| Ok(scratch_containers(pid)?.is_empty()))?;
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
