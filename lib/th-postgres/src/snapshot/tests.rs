use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::COMPRESS;

/// A signal finds no child without its parent, however early it comes.
#[test]
fn a_signal_to_the_compressing_shell_leaves_no_orphan() {
    let dir = tempfile::tempdir().unwrap();
    let (started, ended) = (dir.path().join("started"), dir.path().join("ended"));
    let mktemp = dir.path().join("mktemp");
    let slow = format!(
        "#!/bin/sh\n: >'{}'\nsleep 0.5\n: >'{}'\necho '{}'\n",
        started.display(),
        ended.display(),
        dir.path().join("pipe").display()
    );
    fs::write(&mktemp, slow).unwrap();
    fs::set_permissions(&mktemp, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        dir.path().display(),
        std::env::var("PATH").unwrap()
    );
    let script = [super::AWAIT, COMPRESS].concat();
    let mut shell = Command::new("sh")
        .args(["-c", &script, "sh", "3", "sleep", "60"])
        .env("PATH", path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !started.exists() {
        thread::sleep(Duration::from_millis(5));
    }
    let pid = Pid::from_child(&shell);
    kill_process(pid, Signal::TERM).unwrap();
    let status = shell.wait().unwrap();
    assert!(!status.success());
    assert!(ended.exists(), "mktemp was left behind");
}
