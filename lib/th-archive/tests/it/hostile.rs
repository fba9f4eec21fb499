//! Packs and listings that no writer of ours wrote.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use th_archive::{Digest, Entry, Error, Kind, Listing, Unpack};

use crate::kit::{Bench, Taken, noise, path, tar};

/// A backup of one file, `victim`, whose pack is then replaced.
struct Trap {
    bench: Bench,
    taken: Taken,
    target: PathBuf,
    pack: PathBuf,
}

fn trap() -> Trap {
    let mut bench = Bench::new();
    bench.compression = "none".parse().unwrap();
    bench.write("victim", "content");
    let taken = bench.capture(None);
    let target = bench.dir.path().join("target");
    fs::create_dir(&target).unwrap();
    let pack = bench.packs().join(&bench.pack_names()[0]);
    Trap {
        bench,
        taken,
        target,
        pack,
    }
}

impl Trap {
    fn unpack(&self, entry: &Entry) -> Result<(), Error> {
        let mut unpack = Unpack::new(&self.target)?;
        unpack.want(entry, &path("out"))?;
        self.bench.run(unpack).map(drop)
    }

    fn assert_nothing_was_written(&self) {
        assert_eq!(fs::read_dir(&self.target).unwrap().count(), 0);
    }
}

#[test]
fn hostile_members_are_errors_and_change_nothing() {
    let trap = trap();
    let victim = trap.taken.entry("victim");
    let outside = trap.bench.dir.path().join("evil");
    let absolute = outside.to_str().unwrap().as_bytes();
    for (name, kind, link) in [
        (absolute, b'0', ""),
        (b"../evil", b'0', ""),
        (b"a/../../evil", b'0', ""),
        (b"./victim", b'0', ""),
        (b"victim/", b'0', ""),
        (b"victim", b'2', "/etc/passwd"),
        (b"victim", b'2', "../evil"),
        (b"victim", b'1', "/etc/passwd"),
        (b"victim", b'1', "other"),
        (b"victim", b'3', ""),
        (b"victim", b'4', ""),
        (b"victim", b'6', ""),
        (b"victim", b'5', ""),
        (b"victim", b'7', ""),
        (b"victim", b'S', ""),
    ] {
        let content: &[u8] = if kind == b'0' { b"content" } else { b"" };
        tar(
            &trap.pack,
            &[
                (name, kind, link, content),
                (b"victim", b'0', "", b"content"),
            ],
        );
        let result = trap.unpack(&victim);
        let shown = String::from_utf8_lossy(name);
        assert!(
            matches!(result, Err(Error::Hostile { .. } | Error::Pack { .. })),
            "{shown} {}: {result:?}",
            char::from(kind)
        );
        trap.assert_nothing_was_written();
        assert!(!outside.exists());
    }
}

#[test]
fn a_content_that_is_other_than_listed_is_named_and_removed() {
    let trap = trap();
    let victim = trap.taken.entry("victim");
    for content in [&b"CONTENT"[..], b"conten", b"content!", b""] {
        tar(&trap.pack, &[(b"victim", b'0', "", content)]);
        match trap.unpack(&victim) {
            Err(Error::Content { path: found, .. }) => assert_eq!(found, path("victim")),
            other => panic!("{other:?}"),
        }
        trap.assert_nothing_was_written();
    }
    tar(&trap.pack, &[(b"other", b'0', "", b"content")]);
    assert!(matches!(trap.unpack(&victim), Err(Error::Content { .. })));
    fs::remove_file(&trap.pack).unwrap();
    assert!(matches!(trap.unpack(&victim), Err(Error::Pack { .. })));
}

#[test]
fn a_pack_that_is_cut_short_is_an_error() {
    let mut bench = Bench::new();
    for n in 0..5 {
        bench.write(format!("{n}"), noise(n, 3000));
    }
    let taken = bench.capture(None);
    let pack = bench.packs().join(&bench.pack_names()[0]);
    let bytes = fs::read(&pack).unwrap();
    for end in (0..bytes.len() - 100).step_by(97) {
        fs::write(&pack, &bytes[..end]).unwrap();
        let target = tempfile::tempdir_in(bench.dir.path()).unwrap();
        let mut unpack = Unpack::new(target.path()).unwrap();
        for entry in taken.entries() {
            unpack.want(&entry, &entry.path).unwrap();
        }
        let result = bench.run(unpack);
        assert!(
            matches!(result, Err(Error::Pack { .. } | Error::Content { .. })),
            "cut at {end}"
        );
    }
}

#[test]
fn a_listing_that_lies_about_hash_or_size_is_found_out() {
    let trap = trap();
    for lie in [true, false] {
        let mut entry = trap.taken.entry("victim");
        let Kind::File(content) = &mut entry.kind else {
            panic!("not a file");
        };
        if lie {
            content.sha256 = Digest::of(b"other");
        } else {
            content.size = 8;
        }
        assert!(matches!(trap.unpack(&entry), Err(Error::Content { .. })));
        trap.assert_nothing_was_written();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_pack_never_yields_other_content(at in 0_usize..2048, bit in 0_u8..8) {
        let trap = trap();
        let mut bytes = fs::read(&trap.pack).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        fs::write(&trap.pack, &bytes).unwrap();
        // Damage in what is not looked at, as the padding, may go unnoticed here.
        if trap.unpack(&trap.taken.entry("victim")).is_ok() {
            prop_assert_eq!(fs::read(trap.target.join("out")).unwrap(), b"content");
        } else {
            trap.assert_nothing_was_written();
        }
    }

    #[test]
    fn no_text_makes_the_listing_panic(text in prop::collection::vec(any::<u8>(), 0..400)) {
        let _: Vec<_> = Listing::new(Box::new(std::io::Cursor::new(text))).collect();
    }
}
