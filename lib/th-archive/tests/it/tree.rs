//! Random trees.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use th_archive::Change;

use crate::kit::{Bench, changes, noise, seen};

/// Something to do to a tree.
#[derive(Debug, Clone)]
enum Act {
    File { size: usize, seed: u64, mode: u32 },
    Dir,
    Symlink(&'static str),
    Remove,
    Move(PathBuf),
    Chmod(u32),
}

fn any_path() -> impl Strategy<Value = PathBuf> {
    let name = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "a.b", "a-", "B", "ä"]).prop_map(|n| n.as_bytes().to_vec()),
        1 => prop::sample::select(vec![&b"\xff\xfe"[..], b"new\nline", b" ", b"'q\"", b"\xff\n", b"\\"]).prop_map(<[u8]>::to_vec),
        1 => Just(vec![b'l'; 200]),
    ];
    prop::collection::vec(name, 1..4).prop_map(|names| {
        names
            .iter()
            .map(|name| Path::new(OsStr::from_bytes(name)))
            .collect()
    })
}

fn any_act() -> impl Strategy<Value = Act> {
    let mode = prop::sample::select(vec![0o644, 0o600, 0o4755, 0o2755, 0o444, 0o000]);
    prop_oneof![
        6 => (prop::sample::select(vec![0, 1, 511, 512, 513, 70_000, 200_000]), 0..3_u64, mode.clone())
            .prop_map(|(size, seed, mode)| Act::File { size, seed, mode }),
        2 => Just(Act::Dir),
        1 => prop::sample::select(vec!["a", "../..", "/etc/passwd", "nowhere"]).prop_map(Act::Symlink),
        1 => Just(Act::Remove),
        1 => any_path().prop_map(Act::Move),
        1 => mode.prop_map(Act::Chmod),
    ]
}

/// Does it, unless something is in the way.
fn act(root: &Path, at: &Path, act: &Act) {
    let path = root.join(at);
    let parent = path.parent().unwrap();
    let free = path.symlink_metadata().is_err() && fs::create_dir_all(parent).is_ok();
    let is_link = path.is_symlink();
    match act {
        Act::File { size, seed, mode } if free || (path.is_file() && !is_link) => {
            fs::write(&path, noise(*seed, *size)).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        }
        Act::Dir if free => fs::create_dir(&path).unwrap(),
        Act::Symlink(target) if free => symlink(target, &path).unwrap(),
        Act::Remove if path.is_dir() && !is_link => fs::remove_dir_all(&path).unwrap(),
        Act::Remove if !free => drop(fs::remove_file(&path)),
        Act::Move(to) if !free && root.join(to).symlink_metadata().is_err() => {
            let _ = fs::rename(&path, root.join(to));
        }
        Act::Chmod(mode) if path.is_file() && !is_link => {
            fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_captured_comes_back(
        first in prop::collection::vec((any_path(), any_act()), 0..30),
        second in prop::collection::vec((any_path(), any_act()), 0..8),
    ) {
        let mut bench = Bench::new();
        for (at, it) in &first {
            act(&bench.root(), at, it);
        }
        bench.age();
        let one = bench.capture(None);
        prop_assert_eq!(one.captured.warnings.count, 0);
        let (target, unpacked) = bench.unpack(&one);
        prop_assert_eq!(seen(&target), seen(&bench.root()));
        prop_assert_eq!(unpacked.files, one.captured.files.count);
        prop_assert_eq!(unpacked.bytes, one.captured.files.total_bytes);
        prop_assert!(changes(&target, &one).iter().all(|c| matches!(c, Change::Unchanged(_))));

        // Unchanged, nothing is read and nothing written.
        let packs = bench.pack_names();
        let again = bench.capture(Some(&one));
        prop_assert_eq!(again.captured.files.new_count, 0);
        prop_assert_eq!(&bench.read, &Vec::<PathBuf>::new());
        prop_assert_eq!(again.captured.stored_bytes, 0);
        prop_assert_eq!(bench.pack_names(), packs);
        prop_assert_eq!(again.entries(), one.entries());
        prop_assert_eq!(&again.captured.files.packs, &one.captured.files.packs);

        // Changed, it comes back as it is now, with the help of what was there.
        for (at, it) in &second {
            act(&bench.root(), at, it);
        }
        bench.age();
        let two = bench.capture(Some(&again));
        let (target, _) = bench.unpack(&two);
        prop_assert_eq!(seen(&target), seen(&bench.root()));
    }
}
