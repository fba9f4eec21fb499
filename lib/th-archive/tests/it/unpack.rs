//! Choosing what is unpacked, and where to.

use std::cell::RefCell;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use th_archive::{Error, Tree, Unpack, Watch, open};
use th_record::{ErrorKind, Fail};

use crate::kit::{Bench, as_nobody, noise, path, quiet};

#[test]
fn chosen_files_go_where_the_caller_says_and_each_pack_is_read_once() {
    let mut bench = Bench::new();
    bench.write("a", noise(1, 1000));
    bench.age();
    let one = bench.capture(None);
    bench.write("b", noise(2, 1000));
    bench.write("copy of a", noise(1, 1000));
    bench.age();
    let two = bench.capture(Some(&one));
    let target = bench.dir.path().join("target");
    fs::create_dir(&target).unwrap();
    let mut unpack = Unpack::new(&target).unwrap();
    unpack.want(&two.entry("a"), &path("x/1")).unwrap();
    unpack.want(&two.entry("copy of a"), &path("x/2")).unwrap();
    unpack.want(&two.entry("a"), &path("y")).unwrap();
    unpack.want(&two.entry("b"), &path("z")).unwrap();
    let opened = RefCell::new(Vec::new());
    let packs = bench.packs();
    let opener = |name: &str| {
        opened.borrow_mut().push(name.to_owned());
        open(&packs.join(name))
    };
    let unpacked = quiet(|watch| unpack.run(&opener, watch)).unwrap();
    assert_eq!((unpacked.files, unpacked.bytes), (4, 4000));
    opened.borrow_mut().sort();
    assert_eq!(*opened.borrow(), bench.pack_names());
    for (file, seed) in [("x/1", 1), ("x/2", 1), ("y", 1), ("z", 2)] {
        assert!(
            fs::read(target.join(file)).unwrap() == noise(seed, 1000),
            "{file}"
        );
    }
}

#[test]
fn nothing_that_is_there_is_written_over() {
    let mut bench = Bench::new();
    bench.write("a", "content");
    bench.write("dir/b", "content");
    let taken = bench.capture(None);
    let target = bench.dir.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("a"), "mine").unwrap();
    let mut unpack = Unpack::new(&target).unwrap();
    unpack.want(&taken.entry("a"), &path("a")).unwrap();
    assert!(matches!(bench.run(unpack), Err(Error::Io { .. })));
    assert_eq!(fs::read(target.join("a")).unwrap(), b"mine");

    let mut unpack = Unpack::new(&target).unwrap();
    let result = unpack.want(&taken.entry("dir"), &path("a"));
    assert!(
        matches!(result, Err(Error::Io { .. })),
        "a file is taken for a directory"
    );
}

#[test]
fn links_in_the_target_are_not_followed() {
    let mut bench = Bench::new();
    bench.write("dir/file", "content");
    let taken = bench.capture(None);
    let (target, outside) = (
        bench.dir.path().join("target"),
        bench.dir.path().join("outside"),
    );
    fs::create_dir(&target).unwrap();
    fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, target.join("dir")).unwrap();
    std::os::unix::fs::symlink(outside.join("new"), target.join("link")).unwrap();
    for to in ["dir/file", "dir/sub/file", "link"] {
        let mut unpack = Unpack::new(&target).unwrap();
        unpack.want(&taken.entry("dir/file"), &path(to)).unwrap();
        assert!(matches!(bench.run(unpack), Err(Error::Io { .. })), "{to}");
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn set_id_bits_need_their_owner() {
    let mut bench = Bench::new();
    bench.write("tool", "content");
    let mode = Permissions::from_mode(0o6755);
    fs::set_permissions(bench.root().join("tool"), mode).unwrap();
    let taken = bench.capture(None);
    let target = bench.dir.path().join("target");
    fs::create_dir(&target).unwrap();
    for dir in [bench.dir.path(), &target] {
        fs::set_permissions(dir, Permissions::from_mode(0o777)).unwrap();
    }
    for pack in bench.pack_names() {
        fs::set_permissions(bench.packs().join(pack), Permissions::from_mode(0o644)).unwrap();
    }
    let entry = taken.entry("tool");
    as_nobody(|| {
        let mut unpack = Unpack::new(&target).unwrap();
        unpack.want(&entry, &path("tool")).unwrap();
        bench.run(unpack).unwrap();
    });
    assert_eq!(
        fs::metadata(target.join("tool")).unwrap().mode() & 0o7777,
        0o755
    );
}

#[test]
fn a_stopped_unpack_says_so_and_leaves_no_half_file() {
    let mut bench = Bench::new();
    bench.write("a", noise(1, 1 << 20));
    let taken = bench.capture(None);
    let target = bench.dir.path().join("target");
    fs::create_dir(&target).unwrap();
    let mut unpack = Unpack::new(&target).unwrap();
    unpack.want(&taken.entry("a"), &path("a")).unwrap();
    let stop = AtomicBool::new(false);
    let mut on = |_: &Path, _: u64| stop.store(true, Ordering::Relaxed);
    let packs = bench.packs();
    let result = unpack.run(
        &|name| open(&packs.join(name)),
        &mut Watch::new(&stop, &mut on),
    );
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn a_tree_moves_and_removes_within_itself() {
    let bench = Bench::new();
    bench.write("a", "content");
    let tree = Tree::open(&bench.root()).unwrap();
    tree.rename(&path("a"), &path(".th-restore/x/a")).unwrap();
    assert!(!bench.root().join("a").exists());
    assert_eq!(
        fs::read(bench.root().join(".th-restore/x/a")).unwrap(),
        b"content"
    );
    tree.remove_file(&path(".th-restore/x/a")).unwrap();
    assert!(tree.remove_dir(&path(".th-restore")).is_err());
    tree.remove_dir(&path(".th-restore/x")).unwrap();

    let outside = bench.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "theirs").unwrap();
    std::os::unix::fs::symlink(&outside, bench.root().join("link")).unwrap();
    bench.write("b", "content");
    assert!(tree.rename(&path("b"), &path("link/b")).is_err());
    assert!(tree.rename(&path("link/file"), &path("b")).is_err());
    assert!(tree.remove_file(&path("link/file")).is_err());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}
