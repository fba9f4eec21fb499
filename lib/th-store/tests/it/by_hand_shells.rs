//! A restore by hand where the shell is another, or all there is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::by_hand::{commands, seen};
use crate::kit::{Bench, FIRST, SECOND};

/// Returns where a program of the host is.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("this test needs {program}: run scripts/bootstrap.sh test"))
}

/// Two sets, the second of which needs the packs of both, with names that are hard to quote.
fn sets() -> (Bench, PathBuf) {
    let bench = Bench::new();
    let root = bench.root();
    bench.write("plain", "content");
    bench.write("-n", "dash");
    bench.write("it's \"quoted\" \\ $HOME `x` \\n", "quotes");
    bench.write("new\nline\ttab", "lines");
    bench.write("dir/to be moved", "moved");
    bench.write("empty", "");
    bench.write("l".repeat(200), "long");
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff\xfe'\n\\x");
    bench.write(odd, "not UTF-8");
    symlink("-rf", root.join("link")).unwrap();
    bench.publish(FIRST);
    fs::rename(root.join("dir/to be moved"), root.join("moved 'here'")).unwrap();
    bench.write("plain", "CONTENT");
    let set = bench.publish(SECOND).path;
    (bench, set)
}

/// Runs all of RESTORE.md but the database's part, with `path` as the only place of programs.
fn restore(bench: &Bench, set: &Path, path: &str) -> PathBuf {
    let notes = fs::read_to_string(set.join("RESTORE.md")).unwrap();
    let restored = bench.dir.path().join("by hand");
    for heading in ["Check that nothing is damaged", "Files", "Configuration"] {
        let commands = commands(&notes, heading);
        let output = Command::new("sh")
            .arg("-c")
            .arg(&commands)
            .current_dir(set)
            .env("PATH", path)
            .env("to", &restored)
            .env("work", bench.dir.path().join("work"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{commands}");
    }
    let config = fs::read_to_string(set.join("config/.env")).unwrap();
    assert_eq!(config, "SECRET=1\n");
    restored
}

/// The scripts call `sh` themselves, so it is the name that has to lead to the shell.
fn in_shell(program: &str) {
    let (bench, set) = sets();
    let bin = bench.dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(find(program), bin.join("sh")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let restored = restore(&bench, &set, &path);
    assert_eq!(seen(&restored), seen(&bench.root()));
}

#[test]
fn dash() {
    in_shell("dash");
}

#[test]
fn bash() {
    in_shell("bash");
}

#[test]
fn busybox() {
    in_shell("busybox");
}

/// As on a rescue system: everything but jq and zstd is BusyBox, whose times are whole seconds.
#[test]
fn nothing_but_busybox() {
    let (bench, set) = sets();
    let bin = bench.dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let busybox = find("busybox");
    let list = Command::new(&busybox).arg("--list").output().unwrap();
    for applet in String::from_utf8(list.stdout).unwrap().lines() {
        symlink(&busybox, bin.join(applet)).unwrap();
    }
    for program in ["jq", "zstd"] {
        symlink(find(program), bin.join(program)).unwrap();
    }
    let restored = restore(&bench, &set, bin.to_str().unwrap());
    let without_nanoseconds = |root: &Path| {
        let mut all = seen(root);
        all.values_mut().for_each(|file| file.4 = 0);
        all
    };
    assert_eq!(
        without_nanoseconds(&restored),
        without_nanoseconds(&bench.root())
    );
}
