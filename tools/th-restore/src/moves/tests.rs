use std::os::unix::fs::{MetadataExt, PermissionsExt};

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

fn owner(path: &Path) -> (u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
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
        (
            Move::Owner {
                old: owner(root),
                new: owner(root),
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
    assert_eq!(aside.go(Way::Forth).unwrap(), 8);
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

/// Where one of each move is to be, the app has written something since the moves were listed.
#[test]
fn what_came_to_be_meanwhile_is_kept_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let aside = prepared(dir.path());
    let meanwhile = |path: &str| {
        fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
        fs::write(dir.path().join(path), "meanwhile").unwrap();
    };
    for path in ["added", "dir/added", "dir/more", "changed", "gone"] {
        meanwhile(path);
    }
    let before = tree(dir.path());
    aside.go(Way::Forth).unwrap();
    let after = tree(dir.path());
    for (path, text) in [
        ("added", "added"),
        ("dir/added", "added"),
        ("changed", "new"),
    ] {
        assert!(after.contains(&(path.into(), text.into())), "{path}");
    }
    for path in ["added", "dir/added", "dir/more", "changed", "gone"] {
        let kept = fs::read_to_string(aside.old_dir().join(path)).unwrap();
        assert_eq!(kept, "meanwhile", "{path}");
    }
    aside.go(Way::Forth).unwrap();
    assert_eq!(tree(dir.path()), after);
    aside.go(Way::Back).unwrap();
    assert_eq!(tree(dir.path()), before);

    // And where the undo puts back what had been removed.
    aside.go(Way::Forth).unwrap();
    meanwhile("gone");
    aside.go(Way::Back).unwrap();
    assert_eq!(tree(dir.path()), before);
    let kept = fs::read_to_string(aside.new_dir().join("gone")).unwrap();
    assert_eq!(kept, "meanwhile");
}

#[test]
fn a_run_that_died_between_two_renames_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let aside = prepared(dir.path());
    fs::write(dir.path().join("added"), "meanwhile").unwrap();
    let before = tree(dir.path());
    let (live, old) = (dir.path().join("added"), aside.old_dir().join("added"));
    fs::rename(&live, &old).unwrap();
    aside.go(Way::Forth).unwrap();
    assert_eq!(fs::read_to_string(&live).unwrap(), "added");
    fs::rename(&live, aside.new_dir().join("added")).unwrap();
    aside.go(Way::Back).unwrap();
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn moves_are_read_as_they_were_written() {
    let path = EntryPath::new("a b").unwrap();
    for (word, step) in [
        ("add", Move::Add),
        (
            "mode:755:2700",
            Move::Mode {
                old: 0o755,
                new: 0o2700,
            },
        ),
        (
            "owner:0:1:1000:1001",
            Move::Owner {
                old: (0, 1),
                new: (1000, 1001),
            },
        ),
    ] {
        let record = format!("{word} a b");
        assert_eq!(
            parse(record.as_bytes()),
            Some((step, path.clone())),
            "{word}"
        );
    }
    for bad in ["owner:0:1:2 a", "mode:755 a", "move a", "add"] {
        assert_eq!(parse(bad.as_bytes()), None, "{bad}");
    }
}
