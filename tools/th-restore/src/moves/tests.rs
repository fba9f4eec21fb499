use std::os::unix::fs::PermissionsExt;

use super::*;

fn tree(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        let name = entry
            .path()
            .strip_prefix(root)
            .unwrap()
            .display()
            .to_string();
        if name.is_empty() || name.starts_with(RESERVED) {
            continue;
        }
        let what = if entry.file_type().is_dir() {
            format!(
                "dir {:o}",
                entry.metadata().unwrap().permissions().mode() & 0o777
            )
        } else {
            fs::read_to_string(entry.path()).unwrap()
        };
        found.push((name, what));
    }
    found
}

/// A directory with one of each move prepared.
fn prepared(root: &Path) -> Aside {
    let write = |path: PathBuf, text: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(root.join("changed"), "old");
    write(root.join("gone"), "gone");
    write(root.join("deep/gone/x"), "x");
    write(root.join("was-dir/inner"), "inner");
    fs::create_dir(root.join("mode")).unwrap();
    fs::set_permissions(root.join("mode"), fs::Permissions::from_mode(0o700)).unwrap();
    let aside = Aside::new(root, &"20261123T020000Z-7f3a".parse().unwrap());
    aside.create().unwrap();
    write(aside.new_dir().join("changed"), "new");
    write(aside.new_dir().join("added"), "added");
    write(aside.new_dir().join("dir/added"), "added");
    write(aside.new_dir().join("was-dir"), "a file now");
    let mut list = aside.list().unwrap();
    for (step, path) in [
        (Move::Add, "added"),
        (Move::Replace, "changed"),
        (Move::Remove, "deep/gone"),
        (Move::Add, "dir"),
        (Move::Remove, "gone"),
        (
            Move::Mode {
                old: 0o700,
                new: 0o755,
            },
            "mode",
        ),
        (Move::Swap, "was-dir"),
    ] {
        list.push(step, &EntryPath::new(path).unwrap()).unwrap();
    }
    list.finish().unwrap();
    aside
}

#[test]
fn moves_can_be_done_twice_and_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let aside = prepared(dir.path());
    let before = tree(dir.path());
    assert_eq!(aside.go(Way::Forth).unwrap(), 7);
    let after = tree(dir.path());
    assert!(after.contains(&("changed".into(), "new".into())));
    assert!(after.contains(&("was-dir".into(), "a file now".into())));
    assert!(
        !after
            .iter()
            .any(|(name, _)| name.contains("gone") && name != "deep")
    );
    aside.go(Way::Forth).unwrap();
    assert_eq!(tree(dir.path()), after);
    aside.go(Way::Back).unwrap();
    assert_eq!(tree(dir.path()), before);
    aside.go(Way::Back).unwrap();
    assert_eq!(tree(dir.path()), before);
    aside.go(Way::Forth).unwrap();
    assert_eq!(tree(dir.path()), after);
    aside.discard().unwrap();
    assert!(!dir.path().join(RESERVED).exists());
}
