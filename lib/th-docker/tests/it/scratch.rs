//! Throw-away containers: isolated, removed, swept.

use std::process::Command;
use std::time::Duration;

use th_docker::{Error, SCRATCH, ScratchSpec};

use crate::kit::{again, cmd, container, docker, run, spec, within};

const NAME: &str = "TH_DOCKER_TEST_NAME";

#[test]
fn a_scratch_container_is_isolated_and_removed() {
    let docker = docker();
    let spec = spec();
    let scratch = docker.scratch(&spec).unwrap();
    let id = scratch.id().to_owned();
    assert!(docker.is_running(&id).unwrap());
    let seen = docker.container(scratch.name()).unwrap();
    assert_eq!(
        (seen.id.as_str(), seen.image_name.as_str()),
        (id.as_str(), spec.image_id.as_str())
    );
    assert_eq!(seen.labels.get(SCRATCH), Some(&spec.run));
    assert_eq!(
        seen.labels.get("th.test").map(String::as_str),
        Some("docker")
    );
    let (devices, _) = run(&docker, &scratch, &cmd(&["ls", "/sys/class/net"]));
    assert_eq!(devices, b"lo\n");
    assert!(
        !docker.sweep().unwrap().contains(&seen.name),
        "its owner lives"
    );
    drop(scratch);
    assert!(matches!(docker.container(&id), Err(Error::NotFound(_))));
    assert!(!docker.is_running(&id).unwrap());
}

#[test]
fn anonymous_volumes_go_too() {
    let docker = docker();
    let env = vec![("POSTGRES_PASSWORD".to_owned(), "secret".to_owned())];
    let postgres = ScratchSpec {
        image_id: "postgres:15".into(),
        env,
        cmd: Vec::new(),
        ..spec()
    };
    let scratch = docker.scratch(&postgres).unwrap();
    let format = "{{range .Mounts}}{{.Name}}{{end}}";
    let inspect = Command::new("docker")
        .args(["inspect", "-f", format, scratch.id()])
        .output();
    let volume = String::from_utf8(inspect.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned();
    assert_eq!(
        volume.len(),
        64,
        "the image of PostgreSQL declares a volume"
    );
    drop(scratch);
    let inspect = Command::new("docker")
        .args(["volume", "inspect", &volume])
        .output();
    assert!(!inspect.unwrap().status.success());
}

#[test]
fn the_logs_of_one_that_died_are_kept() {
    let docker = docker();
    let script = "echo one; echo two; sleep 0.5; echo why >&2; exit 1";
    let dying = ScratchSpec {
        cmd: ["sh", "-c", script].map(str::to_owned).into(),
        ..spec()
    };
    let scratch = docker.scratch(&dying).unwrap();
    within(Duration::from_secs(10), || {
        !docker.is_running(scratch.id()).unwrap()
    });
    assert_eq!(scratch.logs(2).unwrap(), "two\nwhy");
}

#[test]
fn a_missing_image_is_named() {
    let missing = ScratchSpec {
        image_id: "th-no-such-image:1".into(),
        ..spec()
    };
    let error = docker().scratch(&missing).unwrap_err();
    assert!(matches!(error, Error::NotFound(image) if image == "th-no-such-image:1"));
}

#[test]
fn one_that_cannot_start_is_removed() {
    let docker = docker();
    let broken = ScratchSpec {
        cmd: vec!["/no/such/program".into()],
        ..spec()
    };
    let name = format!("{}-{}", broken.name_prefix, broken.run);
    let error = docker.scratch(&broken).unwrap_err();
    assert!(error.to_string().contains("/no/such/program"), "{error}");
    assert!(matches!(docker.container(&name), Err(Error::NotFound(_))));
}

#[test]
#[ignore = "started and killed by the next test"]
fn owner() {
    let run = std::env::var(NAME).unwrap();
    let _scratch = docker().scratch(&ScratchSpec { run, ..spec() }).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn what_a_killed_owner_leaves_is_swept() {
    let docker = docker();
    let other = container(&docker);
    let run = format!("{}-swept", std::process::id());
    let name = format!("th-docker-test-{run}");
    let mut child = again("scratch::owner", (NAME, &run));
    within(Duration::from_secs(20), || {
        docker.is_running(&name).unwrap()
    });
    assert!(!docker.sweep().unwrap().contains(&name), "its owner lives");
    child.kill().unwrap();
    child.wait().unwrap();
    // Another test's sweep may be first.
    docker.sweep().unwrap();
    within(Duration::from_secs(10), || {
        matches!(docker.container(&name), Err(Error::NotFound(_)))
    });
    assert!(docker.is_running(other.id()).unwrap());
}
