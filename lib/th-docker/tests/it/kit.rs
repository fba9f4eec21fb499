//! What the tests share: an engine, a scratch container, and this binary started again.

use std::io::Read;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use th_docker::{Docker, Error, Exec, ExecEnd, ExecSpec, Scratch, ScratchSpec};

/// Debian, with dash as `sh`; built by tests/images/build.sh.
pub(crate) const IMAGE: &str = "th-base:bookworm";

pub(crate) fn docker() -> Docker {
    Docker::connect().expect("these tests need a docker engine")
}

/// What every test's container is made from; its name and run are its own.
pub(crate) fn spec() -> ScratchSpec {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    ScratchSpec {
        image_id: IMAGE.into(),
        name_prefix: "th-docker-test".into(),
        run: format!("{}-{count}", std::process::id()),
        cmd: vec!["sleep".into(), "infinity".into()],
        labels: [("th.test".to_owned(), "docker".to_owned())].into(),
        ..Default::default()
    }
}

pub(crate) fn container(docker: &Docker) -> Scratch {
    docker
        .scratch(&spec())
        .expect("tests/images/build.sh makes the image of the tests")
}

pub(crate) fn cmd(words: &[&str]) -> ExecSpec {
    let cmd = words.iter().map(|word| (*word).to_owned()).collect();
    ExecSpec {
        cmd,
        ..Default::default()
    }
}

pub(crate) fn fed(words: &[&str]) -> ExecSpec {
    ExecSpec {
        stdin: true,
        ..cmd(words)
    }
}

pub(crate) fn start(docker: &Docker, scratch: &Scratch, spec: &ExecSpec) -> Exec {
    docker.exec(scratch.id(), spec, never()).unwrap()
}

/// Runs a program to its end. Returns its stdout and its end.
pub(crate) fn run(
    docker: &Docker,
    scratch: &Scratch,
    spec: &ExecSpec,
) -> (Vec<u8>, Result<ExecEnd, Error>) {
    let mut exec = start(docker, scratch, spec);
    let (input, mut output) = exec.split().unwrap();
    drop(input);
    let mut stdout = Vec::new();
    output.read_to_end(&mut stdout).unwrap();
    (stdout, exec.wait())
}

/// Returns the command lines of the processes in the container, those of the question apart.
pub(crate) fn processes(docker: &Docker, scratch: &Scratch) -> String {
    const LIST: &str =
        r#"for p in /proc/[0-9]*; do tr '\0' ' ' <"$p/cmdline"; echo; done 2>/dev/null"#;
    let (list, _) = run(docker, scratch, &fed(&["sh", "-c", LIST]));
    let list = String::from_utf8(list).unwrap();
    let lines: Vec<&str> = list
        .lines()
        .filter(|line| !line.contains("/cmdline") && !line.trim().is_empty())
        .collect();
    lines.join("\n")
}

pub(crate) fn never() -> Arc<AtomicBool> {
    Arc::default()
}

/// Waits until `what` holds, and fails after `limit`.
pub(crate) fn within(limit: Duration, mut what: impl FnMut() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < limit, "not within {limit:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts this binary again for one ignored test, which is the process to be killed.
pub(crate) fn again(test: &str, variable: (&str, &str)) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored"])
        .env(variable.0, variable.1)
        .spawn()
        .unwrap()
}
