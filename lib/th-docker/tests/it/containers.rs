//! How containers, images and the engine itself are found.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use th_docker::{Docker, Error, Scratch, ScratchSpec};
use th_record::{ErrorKind, Fail};

use crate::kit::{IMAGE, again, docker, spec, within};

const HOST: &str = "DOCKER_HOST";

#[test]
fn without_an_engine_the_socket_is_named() {
    let gone = format!("/tmp/th-docker-no-such-{}.sock", std::process::id());
    let error = Docker::connect_to(Path::new(&gone)).unwrap_err();
    assert!(
        error.to_string().contains(&gone) && error.kind() == ErrorKind::Unreachable,
        "{error}"
    );
    // The file is there, and nobody listens.
    drop(UnixListener::bind(&gone).unwrap());
    let error = Docker::connect_to(Path::new(&gone)).unwrap_err();
    std::fs::remove_file(&gone).unwrap();
    assert!(
        error.to_string().contains(&gone) && error.kind() == ErrorKind::Unreachable,
        "{error}"
    );
}

#[test]
#[ignore = "started by the next test"]
fn dead_host() {
    let error = Docker::connect().unwrap_err();
    let host = std::env::var(HOST).unwrap();
    assert!(
        error
            .to_string()
            .contains(host.trim_start_matches("unix://")),
        "{error}"
    );
    let wanted = if host.starts_with("unix://") {
        ErrorKind::Unreachable
    } else {
        ErrorKind::Config
    };
    assert_eq!(error.kind(), wanted);
}

#[test]
fn docker_host_is_obeyed() {
    for host in ["unix:///tmp/th-docker-dead.sock", "tcp://127.0.0.1:1"] {
        assert!(
            again("containers::dead_host", (HOST, host))
                .wait()
                .unwrap()
                .success(),
            "{host}"
        );
    }
}

fn service(docker: &Docker, project: &str, more: &[(&str, &str)], cmd: &str) -> Scratch {
    let mut spec = ScratchSpec {
        cmd: ["sh", "-c", cmd].map(str::to_owned).into(),
        ..spec()
    };
    let labels = [
        ("com.docker.compose.project", project),
        ("com.docker.compose.service", "db"),
    ];
    for (name, value) in labels.iter().chain(more) {
        spec.labels.insert((*name).to_owned(), (*value).to_owned());
    }
    docker.scratch(&spec).unwrap()
}

#[test]
fn a_compose_service_is_exactly_one_running_container() {
    let docker = docker();
    let project = format!("th-docker-{}", std::process::id());
    let found = || docker.compose_container(&project, "db");

    let error = found().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains(&format!("{project}/db")),
        "{error}"
    );

    let stopped = service(&docker, &project, &[], "true");
    within(Duration::from_secs(10), || {
        !docker.is_running(stopped.id()).unwrap()
    });
    assert!(matches!(found(), Err(Error::NotRunning(name)) if name == stopped.name()));

    let one = service(
        &docker,
        &project,
        &[("com.docker.compose.oneoff", "False")],
        "sleep 1002",
    );
    let _job = service(
        &docker,
        &project,
        &[("com.docker.compose.oneoff", "True")],
        "sleep 1002",
    );
    assert_eq!(found().unwrap().id, one.id());

    let two = service(&docker, &project, &[], "sleep 1002");
    let error = found().unwrap_err();
    let Error::Ambiguous { names, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(
        names.len() == 2
            && names
                .iter()
                .all(|name| [one.name(), two.name()].contains(&name.as_str()))
    );
}

#[test]
fn an_image_built_here_has_no_digest() {
    let docker = docker();
    assert_eq!(docker.image_digest(IMAGE).unwrap(), None);
    assert!(matches!(
        docker.image_digest("sha256:0123"),
        Err(Error::NotFound(_))
    ));
}
