//! Files that go into a container.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use th_docker::{Error, Upload};

use crate::kit::{cmd, container, docker, never, run};

const BYTES: u64 = 5_000_000;

fn upload(path: &str) -> Upload {
    Upload {
        path: path.into(),
        size: BYTES,
        mode: 0o640,
        user: Some("nobody".into()),
    }
}

fn zeros(bytes: u64) -> impl Read {
    io::repeat(0).take(bytes)
}

#[test]
fn a_file_arrives_whole_with_mode_and_owner() {
    let docker = docker();
    let scratch = container(&docker);
    let upload = upload("/tmp/a file");
    docker
        .upload(scratch.id(), &upload, &mut zeros(BYTES), never())
        .unwrap();
    let (seen, _) = run(
        &docker,
        &scratch,
        &cmd(&["stat", "-c", "%s %a %U", "/tmp/a file"]),
    );
    assert_eq!(seen, b"5000000 640 nobody\n");
}

#[test]
fn a_file_of_another_size_is_not_there() {
    let docker = docker();
    let scratch = container(&docker);
    for bytes in [0, BYTES - 1, BYTES + 1] {
        let upload = upload("/tmp/file");
        let error = docker
            .upload(scratch.id(), &upload, &mut zeros(bytes), never())
            .unwrap_err();
        let Error::Upload { file, source } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(file, "/tmp/file");
        assert!(source.to_string().contains(&bytes.to_string()), "{source}");
    }
    assert!(run(&docker, &scratch, &cmd(&["ls", "/tmp"])).0.is_empty());
}

#[test]
fn a_reader_that_fails_and_a_directory_that_is_missing_are_told() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    let docker = docker();
    let scratch = container(&docker);
    let told = |error: Error| std::error::Error::source(&error).unwrap().to_string();
    let mut half = zeros(BYTES / 2).chain(Broken);
    let error = docker.upload(scratch.id(), &upload("/tmp/file"), &mut half, never());
    assert_eq!(told(error.unwrap_err()), "the disk is on fire");
    let missing = upload("/no/such/file");
    let error = docker.upload(scratch.id(), &missing, &mut zeros(BYTES), never());
    assert!(told(error.unwrap_err()).contains("/no/such/file"));
    let cancelled = Arc::new(AtomicBool::new(true));
    let error = docker.upload(
        scratch.id(),
        &upload("/tmp/file"),
        &mut zeros(BYTES),
        cancelled,
    );
    assert!(matches!(error, Err(Error::Cancelled(_))), "{error:?}");
    assert!(run(&docker, &scratch, &cmd(&["ls", "/tmp"])).0.is_empty());
}
