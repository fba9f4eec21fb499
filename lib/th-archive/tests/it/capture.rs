//! What a capture reads, packs and lists.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use th_archive::{Compression, EntryPath, Error, Exclude, Kind, RESERVED};
use th_record::{ErrorKind, Fail};

use crate::kit::{Bench, as_nobody, noise, path, seen};

#[test]
fn only_what_changed_is_read() {
    let mut bench = Bench::new();
    for n in 0..20 {
        bench.write(format!("dir{}/file{n}", n % 3), noise(n, 5000));
    }
    bench.age();
    let one = bench.capture(None);
    assert_eq!(one.captured.files.count, 20);
    assert_eq!(one.captured.files.new_bytes, 100_000);
    assert_eq!(one.captured.files.packs.len(), 1);
    let pack = &one.captured.files.packs[0];
    assert_eq!(pack.name, format!("{}.tar.zst", pack.sha256));
    assert_eq!(bench.pack_names(), std::slice::from_ref(&pack.name));

    bench.write("dir1/file1", noise(100, 5000));
    bench.write("new", noise(101, 5000));
    bench.age();
    let two = bench.capture(Some(&one));
    assert_eq!(two.captured.files.new_count, 2);
    assert_eq!(two.captured.files.new_bytes, 10_000);
    assert_eq!(two.captured.files.packs.len(), 2);
    assert_eq!(bench.read.len(), 2);
    let (target, _) = bench.unpack(&two);
    assert_eq!(seen(&target), seen(&bench.root()));
}

#[test]
fn all_bytes_are_told_whether_they_are_read_or_known() {
    let mut bench = Bench::new();
    let large = noise(1, 3 << 20);
    bench.write("same", "unchanged");
    bench.write("large", &large);
    bench.age();
    let one = bench.capture(None);
    // Hashed, and not packed again.
    bench.write("large copy", &large);
    bench.write("new", "new");
    bench.age();
    let known = 9 + 2 * (3 << 20);
    assert_eq!(bench.told(&one), (3, known));
}

#[test]
fn content_that_is_known_is_not_stored_again() {
    let mut bench = Bench::new();
    let large = noise(1, 3 << 20);
    bench.write("small", "content");
    bench.write("small copy", "content");
    bench.write("large", &large);
    bench.write("large copy", &large);
    bench.write("same size", noise(2, 3 << 20));
    bench.age();
    let one = bench.capture(None);
    assert_eq!(one.captured.files.new_count, 5);
    assert_eq!(one.captured.files.new_bytes, 7 + 2 * (3 << 20));
    assert_eq!(one.entry("large copy").member(), &path("large"));

    // Moved, and touched.
    fs::rename(bench.root().join("large"), bench.root().join("moved")).unwrap();
    fs::rename(bench.root().join("small"), bench.root().join("also moved")).unwrap();
    let touched = File::options()
        .append(true)
        .open(bench.root().join("small copy"));
    touched.unwrap().set_modified(SystemTime::now()).unwrap();
    bench.age();
    let two = bench.capture(Some(&one));
    assert_eq!(two.captured.files.new_count, 3);
    assert_eq!(two.captured.files.new_bytes, 0);
    assert_eq!(two.captured.stored_bytes, 0);
    assert_eq!(two.entry("moved").member(), &path("large"));
    let (target, _) = bench.unpack(&two);
    assert_eq!(seen(&target), seen(&bench.root()));

    // A chain of sets stays whole when the origin is long gone.
    fs::remove_file(bench.root().join("large copy")).unwrap();
    fs::rename(bench.root().join("moved"), bench.root().join("twice")).unwrap();
    bench.age();
    let three = bench.capture(Some(&two));
    assert_eq!(three.captured.files.new_bytes, 0);
    assert_eq!(three.entry("twice").member(), &path("large"));
    let (target, _) = bench.unpack(&three);
    assert_eq!(seen(&target), seen(&bench.root()));
}

#[test]
fn what_was_in_a_pack_that_is_gone_is_packed_again() {
    let mut bench = Bench::new();
    bench.write("a", "content");
    bench.age();
    let one = bench.capture(None);
    let mut previous = bench.capture(Some(&one));
    previous.captured.files.packs.clear();
    fs::remove_file(bench.packs().join(&bench.pack_names()[0])).unwrap();
    let two = bench.capture(Some(&previous));
    assert_eq!(two.captured.files.new_bytes, 7);
    assert_eq!(two.captured.files.packs.len(), 1);
    bench.unpack(&two);
}

#[test]
fn a_damaged_previous_listing_costs_time_only() {
    let mut bench = Bench::new();
    bench.write("a", "content");
    bench.age();
    let one = bench.capture(None);
    let listing = one.dir.join(&one.captured.listing.name);
    for damage in [&b"nonsense"[..], b""] {
        fs::write(&listing, damage).unwrap();
        let two = bench.capture(Some(&one));
        assert_eq!(two.captured.files.new_count, 1);
        assert_eq!(two.captured.warnings.count, 1);
    }
    fs::remove_file(&listing).unwrap();
    assert_eq!(bench.capture(Some(&one)).captured.warnings.count, 1);
}

#[test]
fn packs_are_closed_when_full_and_files_never_split() {
    let mut bench = Bench::new();
    bench.write("a", "first");
    // Holes: 300 MiB that cost nothing.
    let big = File::create(bench.root().join("b")).unwrap();
    big.set_len(300 << 20).unwrap();
    bench.write("c", "last");
    let taken = bench.capture(None);
    assert_eq!(taken.captured.files.packs.len(), 2);
    let pack = |at| taken.entry(at).content().unwrap().pack.clone();
    assert_eq!(pack("a"), pack("b"));
    assert_ne!(pack("b"), pack("c"));
    assert!(taken.captured.stored_bytes < 1 << 20);
}

#[test]
fn every_compression_comes_back() {
    for (compression, end) in [
        ("gzip:1", ".tar.gz"),
        ("none", ".tar"),
        ("zstd:19", ".tar.zst"),
    ] {
        let mut bench = Bench::new();
        bench.compression = compression.parse::<Compression>().unwrap();
        bench.write("a", noise(1, 100_000));
        let taken = bench.capture(None);
        assert!(taken.captured.files.packs[0].name.ends_with(end));
        let (target, _) = bench.unpack(&taken);
        assert_eq!(seen(&target), seen(&bench.root()));
    }
}

#[test]
fn what_a_set_cannot_hold_is_skipped() {
    let mut bench = Bench::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        bench.root().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let _socket = UnixListener::bind(bench.root().join("socket")).unwrap();
    bench.write("file", "content");
    bench.write(format!("{RESERVED}/kept/file"), "kept by a restore");
    bench.write(format!("sub/{RESERVED}/file"), "not at the root");
    let taken = bench.capture(None);
    assert_eq!(
        taken.captured.skipped.first,
        ["'pipe' is a named pipe", "'socket' is a socket"]
    );
    assert_eq!(taken.captured.files.count, 2);
    assert_eq!(taken.captured.warnings.count, 0);
}

#[test]
fn excluded_directories_are_not_entered() {
    let mut bench = Bench::new();
    bench.exclude = Exclude::new(&["**/cache", "*.tmp"]).unwrap();
    for file in ["a/cache/x", "cache/y", "x.tmp", "a/x.tmp", "a/b"] {
        bench.write(file, file);
    }
    let paths: Vec<_> = bench
        .capture(None)
        .entries()
        .into_iter()
        .map(|e| e.path)
        .collect();
    assert_eq!(paths, [path("a"), path("a/b"), path("a/x.tmp")]);
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_captured() {
    let mut bench = Bench::new();
    bench.write("open", "content");
    bench.write("shut", "secret");
    bench.write("dir/inside", "hidden");
    for shut in ["shut", "dir"] {
        fs::set_permissions(bench.root().join(shut), Permissions::from_mode(0o000)).unwrap();
    }
    for dir in [bench.dir.path().to_owned(), bench.root(), bench.packs()] {
        fs::set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
    }
    let (taken, entries) = as_nobody(|| {
        let taken = bench.capture(None);
        let entries = taken.entries();
        (taken, entries)
    });
    let files = &taken.captured.files;
    assert_eq!((files.count, files.unreadable_count), (1, 2));
    assert_eq!(files.unreadable, ["dir", "shut"]);
    assert!(taken.captured.warnings.first[1].contains("'shut' cannot be read: "));
    // The directory itself can be seen.
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].kind, Kind::Dir);
}

#[test]
fn a_young_file_is_read_again_once() {
    let mut bench = Bench::new();
    bench.write("young", "content");
    let one = bench.capture(None);
    assert_eq!(one.entry("young").meta.ctime, None);
    bench.age();
    let two = bench.capture(Some(&one));
    assert_eq!(
        (two.captured.files.new_count, two.captured.files.new_bytes),
        (1, 0)
    );
    let three = bench.capture(Some(&two));
    assert_eq!(three.captured.files.new_count, 0);
}

#[test]
fn a_content_of_the_same_size_and_mtime_is_noticed() {
    let mut bench = Bench::new();
    bench.write("a", "one");
    bench.age();
    let one = bench.capture(None);
    let file = File::options()
        .write(true)
        .open(bench.root().join("a"))
        .unwrap();
    let mtime = file.metadata().unwrap().modified().unwrap();
    bench.write("a", "two");
    file.set_modified(mtime).unwrap();
    bench.age();
    let two = bench.capture(Some(&one));
    assert_eq!(two.captured.files.new_bytes, 3);
    let (target, _) = bench.unpack(&two);
    assert_eq!(fs::read(target.join("a")).unwrap(), b"two");
}

#[test]
fn a_stopped_capture_says_so() {
    let mut bench = Bench::new();
    bench.write("a", "content");
    match bench.try_capture(None, &AtomicBool::new(true)) {
        Err(error @ Error::Io { .. }) => assert_eq!(error.kind(), ErrorKind::Interrupted),
        other => panic!("{:?}", other.map(|taken| taken.captured)),
    }
}

#[test]
fn a_missing_root_is_an_error() {
    let mut bench = Bench::new();
    fs::remove_dir(bench.root()).unwrap();
    let result = bench.try_capture(None, &AtomicBool::new(false));
    assert!(matches!(result, Err(Error::Io { .. })));
}

#[test]
fn the_total_is_known_before() {
    let mut bench = Bench::new();
    bench.write("a", "12345");
    bench.write("b/c", "678");
    let total = th_archive::total_bytes(&bench.root(), &bench.exclude).unwrap();
    assert_eq!(total, 8);
    assert_eq!(bench.capture(None).captured.files.total_bytes, total);
}

#[test]
fn hard_links_and_long_names_come_back() {
    let mut bench = Bench::new();
    let deep = format!("{}/{}", "d".repeat(150), "f".repeat(250));
    bench.write(&deep, "deep");
    fs::hard_link(bench.root().join(&deep), bench.root().join("link")).unwrap();
    let taken = bench.capture(None);
    assert_eq!(taken.entry("link").member(), &EntryPath::new(deep).unwrap());
    assert_eq!(taken.captured.files.new_bytes, 4);
    let (target, _) = bench.unpack(&taken);
    assert_eq!(seen(&target), seen(&bench.root()));
}

#[test]
fn time_stamps_of_long_ago_and_far_ahead_come_back() {
    let mut bench = Bench::new();
    bench.write("old", "content");
    bench.write("new", "content");
    let set = |name, time| {
        let file = File::options()
            .write(true)
            .open(bench.root().join(name))
            .unwrap();
        file.set_modified(time).unwrap();
    };
    set("old", SystemTime::UNIX_EPOCH - Duration::from_millis(1_500));
    set(
        "new",
        SystemTime::UNIX_EPOCH + Duration::from_secs(5_000_000_000),
    );
    let taken = bench.capture(None);
    let (target, _) = bench.unpack(&taken);
    assert_eq!(seen(&target), seen(&bench.root()));
}
