//! A restore by hand: the commands of RESTORE.md are run as they stand there.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use th_store::RESTORE_FILES;

use crate::kit::{Bench, FIRST, SECOND};

/// Returns the commands under a heading.
pub(crate) fn commands(notes: &str, heading: &str) -> String {
    let (_, section) = notes.split_once(&format!("## {heading}\n")).unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// Runs commands as a person would, in the set's directory.
fn run(set: &Path, commands: &str, to: &Path) -> String {
    let output = Command::new("sh")
        .arg("-c")
        .arg(commands)
        .current_dir(set)
        .env("to", to.join("restored"))
        .env("work", to.join("work"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}\n{commands}");
    said
}

pub(crate) type Seen = (u32, u32, u32, i64, i64, Vec<u8>);

/// Returns all that is below `root`: mode, owner, mtime, content.
pub(crate) fn seen(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut all = BTreeMap::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let m = fs::symlink_metadata(&path).unwrap();
            let content = if m.is_dir() {
                dirs.push(path.clone());
                Vec::new()
            } else if m.is_symlink() {
                fs::read_link(&path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes()
            } else {
                fs::read(&path).unwrap()
            };
            let seen = (
                m.mode(),
                m.uid(),
                m.gid(),
                m.mtime(),
                m.mtime_nsec(),
                content,
            );
            all.insert(path.strip_prefix(root).unwrap().to_owned(), seen);
        }
    }
    all
}

#[test]
fn the_commands_restore_files_of_every_kind() {
    let bench = Bench::new();
    let root = bench.root();
    let odd = |bytes: &'static [u8]| Path::new(OsStr::from_bytes(bytes));
    bench.write("plain", "content");
    bench.write("dir/to be moved", "moved");
    bench.write("-n", "dash");
    bench.write("it's \"quoted\" \\ $HOME `x`", "quotes");
    bench.write("new\nline\ttab", "lines");
    bench.write(odd(b"\xff\xfe/\xe9'\n\\x"), "not UTF-8");
    bench.write("large", vec![7; 3_000_000]);
    bench.write("empty", "");
    bench.write("l".repeat(200), "long");
    fs::create_dir(root.join("shut")).unwrap();
    symlink("-rf", root.join("link")).unwrap();
    symlink(odd(b"\xff"), root.join("odd link")).unwrap();
    fs::set_permissions(root.join("plain"), Permissions::from_mode(0o4750)).unwrap();
    bench.publish(FIRST);

    // The second set takes what is old from the first one's pack, under whatever name.
    fs::rename(root.join("dir/to be moved"), root.join("moved 'here'")).unwrap();
    fs::copy(root.join(odd(b"\xff\xfe/\xe9'\n\\x")), root.join("copy")).unwrap();
    bench.write("plain", "CONTENT");
    let old = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789);
    File::options()
        .append(true)
        .open(root.join("empty"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    fs::set_permissions(root.join("shut"), Permissions::from_mode(0o1700)).unwrap();
    File::open(root.join("dir"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    let set = bench.publish(SECOND);
    assert_eq!(set.manifest.files.as_ref().unwrap().packs.len(), 2);

    let notes = fs::read_to_string(set.path.join("RESTORE.md")).unwrap();
    let to = bench.dir.path().join("by hand");
    fs::create_dir(&to).unwrap();
    let said = run(
        &set.path,
        &commands(&notes, "Check that nothing is damaged"),
        &to,
    );
    assert_eq!(said.lines().count(), 7, "{said}");
    assert!(said.lines().all(|line| line.ends_with(": OK")), "{said}");
    run(&set.path, &commands(&notes, "Files"), &to);
    assert_eq!(seen(&to.join("restored")), seen(&root));

    run(&set.path, &commands(&notes, "Configuration"), &to);
    assert_eq!(
        fs::read_to_string(set.path.join("config/.env")).unwrap(),
        "SECRET=1\n"
    );
}

#[test]
fn the_manual_has_the_same_commands() {
    let manual = include_str!("../../../../docs/store-format.md");
    assert!(manual.contains(RESTORE_FILES));
}

#[test]
fn the_commands_for_the_database_are_shell() {
    let bench = Bench::new();
    let set = bench.publish(FIRST);
    let notes = fs::read_to_string(set.path.join("RESTORE.md")).unwrap();
    let database = commands(&notes, "Database");
    // As it stands there; only the programs are not run.
    let check = Command::new("sh")
        .args(["-n", "-c", &database])
        .status()
        .unwrap();
    assert!(check.success(), "{database}");
    for expected in [
        r#"docker exec -i "$db""#,
        "zstd -dc db.dump.zst | pg pg_restore --exit-on-error -d 'trace hub'",
        "pg createdb -T template0 -O tracehub -E UTF8 --lc-collate=en_US.utf8",
        r#"ALTER ROLE "tracehub" IN DATABASE "trace hub" SET "search_path" TO "$user", public;"#,
        r#"ALTER DATABASE "trace hub" SET "app.motto" TO  E'it''s \\ here';"#,
        r#"GRANT CREATE ON DATABASE "trace hub" TO "tracehub" WITH GRANT OPTION;"#,
        r#"ALTER DATABASE "trace hub" CONNECTION LIMIT 50;"#,
        r#"COMMENT ON DATABASE "trace hub" IS 'The database of TraceHub';"#,
    ] {
        assert!(database.contains(expected), "{expected}\n{database}");
    }
}
