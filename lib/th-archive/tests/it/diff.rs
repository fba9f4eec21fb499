//! How a directory differs from a backup of it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::time::{Duration, SystemTime};

use th_archive::{Change, Diff, Exclude};

use crate::kit::{Bench, changes, quiet};

/// Returns the changes but for what is unchanged, as text.
fn told(changes: Vec<Change>) -> Vec<String> {
    changes
        .into_iter()
        .filter_map(|change| match change {
            Change::Unchanged(_) => None,
            Change::Add(entry) => Some(format!("add {}", entry.path)),
            Change::Replace(entry, live) => Some(format!("replace {} {live:?}", entry.path)),
            Change::Remove(path, live) => Some(format!("remove {path} {live:?}")),
        })
        .collect()
}

#[test]
fn every_kind_of_change_is_told() {
    let mut bench = Bench::new();
    for file in [
        "changed",
        "chmod",
        "gone",
        "same",
        "to dir",
        "touched",
        "d/x",
        "to file/x",
        "sock",
    ] {
        bench.write(file, "content");
    }
    symlink("same", bench.root().join("link")).unwrap();
    symlink("same", bench.root().join("relinked")).unwrap();
    let taken = bench.capture(None);
    assert_eq!(told(changes(&bench.root(), &taken)), [""; 0]);

    let root = bench.root();
    let touch = |name| {
        let time = SystemTime::now() + Duration::from_secs(5);
        File::options()
            .append(true)
            .open(root.join(name))
            .unwrap()
            .set_modified(time)
            .unwrap();
    };
    bench.write("changed", "CONTENT");
    touch("changed");
    touch("touched");
    fs::set_permissions(root.join("chmod"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(root.join("d"), Permissions::from_mode(0o700)).unwrap();
    fs::remove_file(root.join("gone")).unwrap();
    fs::remove_file(root.join("to dir")).unwrap();
    bench.write("to dir/new", "new");
    fs::remove_dir_all(root.join("to file")).unwrap();
    bench.write("to file", "new");
    fs::remove_file(root.join("relinked")).unwrap();
    symlink("elsewhere", root.join("relinked")).unwrap();
    bench.write("more/inside", "new");
    fs::remove_file(root.join("sock")).unwrap();
    let _one = UnixListener::bind(root.join("sock")).unwrap();
    let _two = UnixListener::bind(root.join("another")).unwrap();
    bench.write(".th-restore/kept", "not looked at");
    assert_eq!(
        told(changes(&root, &taken)),
        [
            "replace changed File",
            "replace chmod File",
            "replace d Dir",
            "add gone",
            "remove more Dir",
            "remove more/inside File",
            "replace relinked Symlink",
            "replace sock Other",
            "replace to dir Dir",
            "remove to dir/new File",
            "replace to file File",
            "add to file/x",
        ]
    );
}

#[test]
fn an_empty_directory_lacks_everything() {
    let mut bench = Bench::new();
    bench.write("a/b", "content");
    let taken = bench.capture(None);
    let empty = bench.dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(told(changes(&empty, &taken)), ["add a", "add a/b"]);
}

#[test]
fn a_directory_stays_for_what_is_left_alone_in_it() {
    let mut bench = Bench::new();
    bench.write("a", "content");
    let taken = bench.capture(None);
    let root = bench.root();
    bench.write("cache/deep/c", "excluded");
    bench.write("cache.d/x", "not excluded");
    bench.write("run/d/x", "beside a socket");
    let _socket = UnixListener::bind(root.join("run/api.sock")).unwrap();
    let exclude = Exclude::new(&["cache/**"]).unwrap();
    let mut diff = Diff::new(&root, &exclude, taken.listing()).unwrap();
    let changes = quiet(|watch| std::iter::from_fn(|| diff.next(watch).unwrap()).collect());
    assert_eq!(
        told(changes),
        [
            "remove cache.d Dir",
            "remove cache.d/x File",
            "remove run/d Dir",
            "remove run/d/x File",
        ]
    );
}

#[test]
fn root_sees_that_the_owner_is_another() {
    let mut bench = Bench::new();
    bench.write("d/x", "content");
    symlink("x", bench.root().join("link")).unwrap();
    let taken = bench.capture(None);
    let root = bench.root();
    let given = ["d", "d/x"].map(|path| chown(root.join(path), Some(4711), None));
    if given.iter().any(Result::is_err) {
        return; // This is not root.
    }
    std::os::unix::fs::lchown(root.join("link"), Some(4711), None).unwrap();
    assert_eq!(
        told(changes(&root, &taken)),
        ["replace d Dir", "replace d/x File", "replace link Symlink"]
    );
}
