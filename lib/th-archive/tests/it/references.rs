//! Whether referenced files are in a set.

use std::path::PathBuf;

use th_archive::References;

use crate::kit::Bench;

#[test]
fn references_match_by_relative_and_absolute_path() {
    let mut bench = Bench::new();
    bench.write("a/b.pdf", "content");
    bench.write("root/c", "content");
    let taken = bench.capture(None);
    let root = bench.root();
    let mut references = References::new(&root, taken.listing()).unwrap();
    let absolute = |path: &str| root.join(path);
    for (reference, listed) in [
        (PathBuf::from("a/b.pdf"), true),
        ("./a/b.pdf".into(), true),
        ("root/a/b.pdf".into(), true),
        ("./root/a/b.pdf".into(), true),
        ("root/c".into(), true),
        ("root/root/c".into(), true),
        (absolute("a/b.pdf"), true),
        (absolute("a//b.pdf"), true),
        ("c".into(), false),
        ("b.pdf".into(), false),
        ("a/B.pdf".into(), false),
        ("a/../a/b.pdf".into(), false),
        ("/a/b.pdf".into(), false),
        (absolute("../root/a/b.pdf"), false),
        (root.clone(), false),
        ("".into(), false),
    ] {
        assert_eq!(
            references.check(&reference),
            listed,
            "{}",
            reference.display()
        );
    }
    let found = references.finish();
    assert_eq!((found.checked, found.missing_count), (16, 8));
    assert_eq!(found.missing[0], "c");
}
