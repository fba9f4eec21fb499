//! Files that change while they are read.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use th_archive::{Capture, Captured, Watch};

use crate::kit::{Bench, Taken, noise};

const SIZE: usize = 4 << 20;

/// Captures, and calls `meanwhile` once while `victim` is being read.
fn capture_while(bench: &Bench, victim: &str, meanwhile: impl FnOnce(&Path)) -> Taken {
    let out = tempfile::tempdir_in(bench.dir.path()).unwrap().keep();
    let path = bench.root().join(victim);
    let mut meanwhile = Some(meanwhile);
    let mut on = |at: &Path, _: u64| {
        if at == Path::new(victim)
            && let Some(meanwhile) = meanwhile.take()
        {
            meanwhile(&path);
        }
    };
    let captured: Captured = Capture {
        root: &bench.root(),
        exclude: &bench.exclude,
        compression: bench.compression,
        previous: None,
        dir: &out,
        packs_dir: &bench.packs(),
    }
    .run(&mut Watch::new(&AtomicBool::new(false), &mut on))
    .unwrap();
    Taken { captured, dir: out }
}

fn assert_unstable(taken: &Taken, path: &str) {
    let entry = taken.entry(path);
    assert!(entry.content().unwrap().unstable);
    assert_eq!(entry.meta.ctime, None, "it would pass for unchanged");
    assert_eq!(
        taken.captured.warnings.first,
        [format!("'{path}' changed while it was read")]
    );
}

#[test]
fn a_file_that_grows_is_stored_as_it_was_opened() {
    let mut bench = Bench::new();
    bench.write("grows", noise(1, SIZE));
    bench.age();
    let taken = capture_while(&bench, "grows", |path| {
        let mut file = File::options().append(true).open(path).unwrap();
        file.write_all(b"more").unwrap();
    });
    assert_unstable(&taken, "grows");
    let (target, _) = bench.unpack(&taken);
    assert!(fs::read(target.join("grows")).unwrap() == noise(1, SIZE));

    bench.age();
    let next = bench.capture(Some(&taken));
    assert_eq!(next.captured.files.new_count, 1);
    assert!(!next.entry("grows").content().unwrap().unstable);
}

#[test]
fn a_file_that_shrinks_is_filled_up_with_zeros() {
    let bench = Bench::new();
    bench.write("shrinks", noise(1, SIZE));
    bench.age();
    let taken = capture_while(&bench, "shrinks", |path| {
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(0)
            .unwrap();
    });
    assert_unstable(&taken, "shrinks");
    let (target, _) = bench.unpack(&taken);
    let stored = fs::read(target.join("shrinks")).unwrap();
    assert_eq!(stored.len(), SIZE);
    assert!(stored[SIZE / 2..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_file_that_is_rewritten_is_unstable() {
    let bench = Bench::new();
    bench.write("small", "content");
    bench.age();
    let taken = capture_while(&bench, "small", |path| fs::write(path, "CONTENT").unwrap());
    assert_unstable(&taken, "small");
    bench.unpack(&taken);
}

#[test]
fn files_that_vanish_or_change_kind_are_warned_of() {
    let bench = Bench::new();
    bench.write("a", "content");
    for later in ["b", "c", "d/e"] {
        bench.write(later, "later");
    }
    let taken = capture_while(&bench, "a", |path| {
        let root = path.parent().unwrap();
        fs::remove_file(root.join("b")).unwrap();
        fs::remove_dir_all(root.join("d")).unwrap();
    });
    assert_eq!(
        taken.captured.warnings.first,
        [
            "'b' vanished before it was read",
            "'d' vanished before it was read"
        ]
    );
    assert_eq!(taken.captured.files.count, 2);
    assert_eq!(taken.captured.files.unreadable_count, 0);
    bench.unpack(&taken);
}

#[test]
fn a_thread_that_appends_harms_nothing() {
    let mut bench = Bench::new();
    bench.write("log", noise(1, SIZE));
    let stop = AtomicBool::new(false);
    let path = bench.root().join("log");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            while !stop.load(Ordering::Relaxed) {
                file.write_all(&[7; 4096]).unwrap();
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        let mut before = None;
        for _ in 0..10 {
            let taken = bench.capture(before.as_ref());
            bench.unpack(&taken);
            before = Some(taken);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn holes_come_back_as_holes() {
    let mut bench = Bench::new();
    let file = File::create(bench.root().join("sparse")).unwrap();
    file.set_len(64 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"middle", 32 << 20).unwrap();
    bench.write("empty", "");
    let taken = bench.capture(None);
    let (target, _) = bench.unpack(&taken);
    let metadata = fs::metadata(target.join("sparse")).unwrap();
    assert_eq!(metadata.len(), 64 << 20);
    assert!(
        metadata.blocks() * 512 < 1 << 20,
        "{} blocks",
        metadata.blocks()
    );
    assert!(
        fs::read(target.join("sparse")).unwrap() == fs::read(bench.root().join("sparse")).unwrap()
    );
    assert_eq!(fs::metadata(target.join("empty")).unwrap().len(), 0);
}
