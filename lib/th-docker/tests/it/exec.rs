//! How programs end.

use std::io::Read;

use th_docker::{Error, ExecSpec};

use crate::kit::{cmd, container, docker, fed, never, processes, run, start};

#[test]
fn status_stdout_and_stderr_come_back() {
    let docker = docker();
    let scratch = container(&docker);
    for (script, status) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
    ] {
        for spec in [cmd(&["sh", "-c", script]), fed(&["sh", "-c", script])] {
            assert_eq!(
                run(&docker, &scratch, &spec).1.unwrap().status,
                status,
                "{spec:?}"
            );
        }
    }
    for spec in [cmd, fed].map(|spec| spec(&["sh", "-c", "echo out; echo err >&2; exit 3"])) {
        let (stdout, end) = run(&docker, &scratch, &spec);
        assert_eq!(stdout, b"out\n");
        let end = end.unwrap();
        assert_eq!(
            (end.status, end.stderr.as_str()),
            (3, "err"),
            "nothing of the watchdog's own"
        );
    }
    assert_eq!(
        processes(&docker, &scratch),
        "sleep infinity ",
        "nothing is left behind"
    );
}

#[test]
fn env_and_user_and_arguments_arrive_unchanged() {
    let docker = docker();
    let scratch = container(&docker);
    let spec = ExecSpec {
        env: vec![("TH_VALUE".into(), "a b'c\"$d\n=e".into())],
        user: Some("nobody".into()),
        ..cmd(&[
            "sh",
            "-c",
            r#"printf '%s|%s|%s|%s' "$TH_VALUE" "$(id -un)" "$1" "$2""#,
            "sh",
            "",
            "x y",
        ])
    };
    let (stdout, _) = run(&docker, &scratch, &spec);
    assert_eq!(
        String::from_utf8(stdout).unwrap(),
        "a b'c\"$d\n=e|nobody||x y"
    );
}

#[test]
fn a_program_without_stdin_reads_nothing_and_gets_nothing() {
    let docker = docker();
    let scratch = container(&docker);
    let mut exec = start(
        &docker,
        &scratch,
        &cmd(&["sh", "-c", "cat; sleep 0.5; echo done"]),
    );
    let (mut input, mut output) = exec.split().unwrap();
    assert!(std::io::Write::write(&mut input, b"x").is_err());
    drop(input);
    let mut stdout = String::new();
    output.read_to_string(&mut stdout).unwrap();
    assert_eq!(
        stdout, "done\n",
        "the end of no input is not the end of the program"
    );
    assert_eq!(exec.wait().unwrap().status, 0);
    assert_eq!(exec.wait().unwrap().status, 0, "it may be asked twice");
}

#[test]
fn a_program_that_cannot_start_says_why() {
    let docker = docker();
    let scratch = container(&docker);
    for (program, why) in [
        ("no-such-program", "not found"),
        ("/etc/passwd", "ermission denied"),
    ] {
        for spec in [cmd(&[program]), fed(&[program])] {
            let error = run(&docker, &scratch, &spec).1.unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::Program { .. }), "{error:?}");
            assert!(text.contains(program) && text.contains(why), "{text}");
        }
    }
    let nobody = ExecSpec {
        user: Some("no-such-user".into()),
        ..cmd(&["true"])
    };
    let text = match docker.exec(scratch.id(), &nobody, never()) {
        Ok(mut exec) => exec.wait().unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(text.contains("no-such-user"), "{text}");
}

#[test]
fn only_a_running_container_can_be_entered() {
    let docker = docker();
    let missing = docker
        .exec("th-docker-no-such", &cmd(&["true"]), never())
        .unwrap_err();
    assert!(
        matches!(&missing, Error::NotFound(name) if name == "th-docker-no-such"),
        "{missing:?}"
    );
    let scratch = docker
        .scratch(&th_docker::ScratchSpec {
            cmd: vec!["true".into()],
            ..crate::kit::spec()
        })
        .unwrap();
    crate::kit::within(std::time::Duration::from_secs(10), || {
        !docker.is_running(scratch.id()).unwrap()
    });
    let stopped = docker
        .exec(scratch.id(), &cmd(&["true"]), never())
        .unwrap_err();
    assert!(
        matches!(stopped, Error::Refused { status: 409, .. }),
        "{stopped:?}"
    );
}
