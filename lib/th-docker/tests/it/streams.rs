//! What flows: every byte, in both directions, for as long as both ends want it.

use std::io::{self, Read, Write};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use th_docker::Error;

use crate::kit::{cmd, container, docker, fed, processes, run, start, within};

#[test]
fn every_byte_of_stdout_arrives() {
    let docker = docker();
    let scratch = container(&docker);
    let make = "head -c 10000000 /dev/urandom >/data";
    run(&docker, &scratch, &cmd(&["sh", "-c", make])).1.unwrap();
    let (sum, _) = run(&docker, &scratch, &cmd(&["sha256sum", "/data"]));
    for spec in [cmd(&["cat", "/data"]), fed(&["cat", "/data"])] {
        let (data, _) = run(&docker, &scratch, &spec);
        assert_eq!(data.len(), 10_000_000);
        assert!((0..=255).all(|byte| data.contains(&byte)));
        let hash: String = Sha256::digest(&data)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(sum.starts_with(hash.as_bytes()));
    }
}

#[test]
fn stdin_and_stdout_flow_at_once() {
    const BYTES: usize = 50_000_000;
    let docker = docker();
    let scratch = container(&docker);
    let mut data = vec![0; BYTES];
    std::fs::File::open("/dev/urandom")
        .unwrap()
        .read_exact(&mut data)
        .unwrap();
    let mut exec = start(&docker, &scratch, &fed(&["cat"]));
    let (mut input, mut output) = exec.split().unwrap();
    let mut back = Vec::with_capacity(BYTES);
    thread::scope(|scope| {
        scope.spawn(|| {
            input.write_all(&data).unwrap();
            drop(input);
        });
        output.read_to_end(&mut back).unwrap();
    });
    assert!(back == data);
    assert_eq!(exec.wait().unwrap().status, 0);
}

#[test]
fn a_program_may_leave_its_stdin_unread() {
    let docker = docker();
    let scratch = container(&docker);
    let mut exec = start(&docker, &scratch, &fed(&["sh", "-c", "head -c 5; exit 4"]));
    let (mut input, mut output) = exec.split().unwrap();
    let refused = loop {
        if let Err(error) = input.write_all(&[b'x'; 65536]) {
            break error;
        }
    };
    assert_eq!(refused.kind(), io::ErrorKind::BrokenPipe);
    let mut stdout = Vec::new();
    output.read_to_end(&mut stdout).unwrap();
    assert_eq!(stdout, b"xxxxx");
    assert_eq!(exec.wait().unwrap().status, 4);
}

#[test]
fn wait_drops_what_nobody_reads_and_keeps_the_end_of_stderr() {
    let docker = docker();
    let scratch = container(&docker);
    let script = "seq 200000; seq 200000 >&2; exit 5";
    let end = start(&docker, &scratch, &cmd(&["sh", "-c", script]))
        .wait()
        .unwrap();
    assert_eq!(end.status, 5);
    assert!(end.stderr.len() <= 64 * 1024 && end.stderr.ends_with("199999\n200000"));
}

#[test]
fn a_container_killed_in_the_middle_is_no_success() {
    let docker = docker();
    for spec in [cmd, fed].map(|spec| spec(&["cat", "/dev/zero"])) {
        let scratch = container(&docker);
        let mut exec = start(&docker, &scratch, &spec);
        let (_input, mut output) = exec.split().unwrap();
        output.read_exact(&mut [0; 1_000_000]).unwrap();
        let name = scratch.name().to_owned();
        let kill = thread::spawn(move || Command::new("docker").args(["kill", &name]).output());
        let read = io::copy(&mut output, &mut io::sink());
        assert!(kill.join().unwrap().unwrap().status.success());
        match (read, exec.wait()) {
            (_, Err(_)) => {}
            (_, Ok(end)) => assert_ne!(end.status, 0),
        }
    }
}

#[test]
fn cancel_ends_a_silent_program() {
    let docker = docker();
    let scratch = container(&docker);
    let cancel = Arc::new(AtomicBool::new(false));
    let spec = cmd(&["sleep", "1001"]);
    let mut exec = docker
        .exec(scratch.id(), &spec, Arc::clone(&cancel))
        .unwrap();
    let (_input, mut output) = exec.split().unwrap();
    within(Duration::from_secs(5), || {
        processes(&docker, &scratch).contains("sleep 1001")
    });
    let flag = Arc::clone(&cancel);
    let canceller = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        flag.store(true, Ordering::Relaxed);
        Instant::now()
    });
    // `read_to_end` shows that the standard library does not try again.
    let error = output.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    assert!(canceller.join().unwrap().elapsed() < Duration::from_millis(500));
    assert!(matches!(exec.wait(), Err(Error::Cancelled(program)) if program == "sleep"));
    within(Duration::from_secs(2), || {
        !processes(&docker, &scratch).contains("1001")
    });
}

#[test]
fn cancel_ends_a_blocked_write() {
    let docker = docker();
    let scratch = container(&docker);
    let cancel = Arc::new(AtomicBool::new(false));
    let spec = fed(&["sh", "-c", "sleep 2; cat >/dev/null"]);
    let mut exec = docker
        .exec(scratch.id(), &spec, Arc::clone(&cancel))
        .unwrap();
    let (mut input, _output) = exec.split().unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            loop {
                if let Err(error) = input.write_all(&[0; 65536]) {
                    break error;
                }
            }
        });
        thread::sleep(Duration::from_millis(500));
        cancel.store(true, Ordering::Relaxed);
        let start = Instant::now();
        assert_eq!(
            writer.join().unwrap().kind(),
            io::ErrorKind::ConnectionAborted
        );
        assert!(start.elapsed() < Duration::from_millis(500));
    });
}

#[test]
fn an_output_that_is_dropped_ends_its_program() {
    let docker = docker();
    let scratch = container(&docker);
    let mut exec = start(&docker, &scratch, &cmd(&["cat", "/dev/zero"]));
    let (_input, mut output) = exec.split().unwrap();
    output.read_exact(&mut [0; 1000]).unwrap();
    drop(output);
    within(Duration::from_secs(2), || {
        !processes(&docker, &scratch).contains("/dev/zero")
    });
    assert!(matches!(exec.wait(), Err(Error::Stream { .. })));
}
