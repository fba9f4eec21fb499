//! A client killed by SIGKILL leaves no program behind.

use std::io::Write;
use std::time::Duration;

use th_docker::{Docker, Scratch, ScratchSpec};

use crate::kit::{again, cmd, container, docker, fed, never, processes, run, spec, within};

/// The container that the process to be killed works in.
const VICTIM: &str = "TH_DOCKER_TEST_CONTAINER";
/// A file without an end, and the word by which the programs are found.
const MARK: &str = "/dev/zero";

#[test]
#[ignore = "started and killed by the tests of this file"]
fn client_without_stdin() {
    let id = std::env::var(VICTIM).unwrap();
    let mut exec = docker().exec(&id, &cmd(&["cat", MARK]), never()).unwrap();
    exec.wait().unwrap();
}

#[test]
#[ignore = "started and killed by the tests of this file"]
fn client_that_reads_nothing() {
    let id = std::env::var(VICTIM).unwrap();
    let _exec = docker().exec(&id, &cmd(&["cat", MARK]), never()).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
#[ignore = "started and killed by the tests of this file"]
fn client_with_stdin() {
    let id = std::env::var(VICTIM).unwrap();
    let mut exec = docker()
        .exec(&id, &fed(&["cat", "-", "/no/dev/zero"]), never())
        .unwrap();
    let (mut input, _output) = exec.split().unwrap();
    input.write_all(b"some").unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

fn kill_in_the_middle(docker: &Docker, scratch: &Scratch, client: &str) {
    let mut child = again(&format!("death::{client}"), (VICTIM, scratch.id()));
    within(Duration::from_secs(10), || {
        processes(docker, scratch).contains(MARK)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    within(Duration::from_secs(3), || {
        !processes(docker, scratch).contains(MARK)
    });
}

#[test]
fn a_program_ends_with_its_client() {
    let docker = docker();
    let scratch = container(&docker);
    for client in [
        "client_without_stdin",
        "client_that_reads_nothing",
        "client_with_stdin",
    ] {
        kill_in_the_middle(&docker, &scratch, client);
        assert_eq!(processes(&docker, &scratch), "sleep infinity ");
    }
}

/// A postmaster that is the container's first process adopts orphans, and restarts every session
/// when one of them dies of a signal.
#[test]
fn a_postmaster_does_not_notice() {
    let docker = docker();
    let postgres = ScratchSpec {
        image_id: "postgres:15".into(),
        env: vec![("POSTGRES_PASSWORD".into(), "secret".into())],
        cmd: Vec::new(),
        ..spec()
    };
    let scratch = docker.scratch(&postgres).unwrap();
    let ready = "init process complete";
    within(Duration::from_secs(60), || {
        let logs = scratch.logs(100).unwrap();
        logs.split_once(ready)
            .is_some_and(|(_, logs)| logs.contains("ready to accept connections"))
    });
    let before = scratch.logs(1000).unwrap();
    for _ in 0..10 {
        run(&docker, &scratch, &cmd(&["true"])).1.unwrap();
    }
    kill_in_the_middle(&docker, &scratch, "client_without_stdin");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(scratch.logs(1000).unwrap(), before);
}
