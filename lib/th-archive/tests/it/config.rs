//! Configuration files.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use th_archive::{Compression, Digest, Error, config, open};
use th_record::{ErrorKind, Fail};

use crate::kit::{Bench, path, tar};

#[test]
fn files_come_back_with_mode_and_hash() {
    let bench = Bench::new();
    bench.write(".env", "SECRET=1\n");
    bench.write("deploy/compose.yml", "services: {}\n");
    symlink(".env", bench.root().join("linked")).unwrap();
    fs::set_permissions(bench.root().join(".env"), Permissions::from_mode(0o640)).unwrap();
    let names = ["linked", ".env", "deploy/compose.yml", ".env"];
    let dir = bench.dir.path();
    let object = config::write(
        dir,
        "config.tar",
        &bench.root(),
        &names,
        Compression::default(),
    )
    .unwrap();
    assert_eq!(object.name, "config.tar.zst");
    let files = config::read(open(&dir.join(&object.name)).unwrap()).unwrap();
    let found: Vec<_> = files
        .iter()
        .map(|file| (file.name.clone(), file.mode))
        .collect();
    assert_eq!(found[0], (path(".env"), 0o640));
    assert_eq!(found.len(), 3);
    assert_eq!(files[2].bytes, b"SECRET=1\n");
    assert_eq!(files[2].sha256, Digest::of(b"SECRET=1\n"));
}

#[test]
fn a_file_that_cannot_be_taken_is_named() {
    let bench = Bench::new();
    bench.write("dir/file", "content");
    for (name, kind) in [
        ("missing", ErrorKind::NotFound),
        ("dir", ErrorKind::Io),
        ("../root/dir/file", ErrorKind::Config),
        ("/etc/passwd", ErrorKind::Config),
    ] {
        let out = tempfile::tempdir().unwrap();
        let none = Compression::None;
        let error = config::write(out.path(), "c", &bench.root(), &[name], none).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(error.kind(), kind, "{name}");
    }
}

#[test]
fn hostile_members_are_errors() {
    let bench = Bench::new();
    let file = bench.dir.path().join("config.tar");
    for (name, kind, link) in [
        (&b"/etc/passwd"[..], b'0', ""),
        (b"../evil", b'0', ""),
        (b"a", b'2', "/etc/passwd"),
        (b"a", b'1', "b"),
        (b"a", b'3', ""),
        (b"good", b'0', ""),
    ] {
        tar(
            &file,
            &[(b"good", b'0', "", b"content"), (name, kind, link, b"")],
        );
        let result = config::read(open(&file).unwrap());
        assert!(matches!(result, Err(Error::Hostile { .. })), "{result:?}");
    }
    fs::write(&file, [0; 100]).unwrap();
    assert!(matches!(
        config::read(open(&file).unwrap()),
        Err(Error::Pack { .. })
    ));
}
