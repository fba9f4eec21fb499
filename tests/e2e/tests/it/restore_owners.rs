//! Whose the files are, what their modes are, and what is left alone among them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use anyhow::{Result, ensure};
use th_kit::Ended;

use crate::setup::Home;

const APP: u32 = 4711;

/// A home of which `up` and `conf` are backed up, all of it the app's.
fn home(exclude: &str) -> Result<Home> {
    let home = Home::new(&format!(
        "app = \"a\"\n[env.p]\nroot = \"app\"\n[env.p.files]\nuploads = \"up\"\n\
         config = [\"conf/site.conf\"]\nexclude = [{exclude}]\n\
         [env.p.backup]\nstore = \"../store\"\n"
    ))?;
    let app = home.path().join("app");
    fs::create_dir_all(app.join("up/dir"))?;
    fs::create_dir_all(app.join("conf"))?;
    fs::write(app.join("up/file"), "1")?;
    fs::write(app.join("conf/site.conf"), "x")?;
    for path in ["", "up", "up/dir", "up/file", "conf", "conf/site.conf"] {
        own(&app.join(path), APP)?;
    }
    fs::set_permissions(&app, Permissions::from_mode(0o750))?;
    home.backup(&[])?.expect(0)?;
    Ok(home)
}

fn own(path: &Path, id: u32) -> Result<()> {
    Ok(chown(path, Some(id), Some(id))?)
}

fn restore(home: &Home, args: &[&str]) -> Result<Ended> {
    home.tool("th-restore")?.args(args).run()?.expect(0)
}

/// The mode and the owner.
fn seen(home: &Home, path: &str) -> Result<(u32, u32)> {
    let metadata = fs::metadata(home.path().join("app").join(path))?;
    Ok((metadata.mode() & 0o7777, metadata.uid()))
}

#[test]
fn what_is_made_anew_is_of_whom_it_is_in() -> Result<()> {
    let home = home("")?;
    let app = home.path().join("app");
    fs::remove_dir_all(app.join("up"))?;
    fs::remove_dir_all(app.join("conf"))?;
    let applied = restore(&home, &["apply"])?;
    let warnings = applied.record["warnings"].to_string();
    ensure!(warnings.contains("was not there"), "{warnings}");
    restore(&home, &["apply", "--only", "config"])?;
    for path in ["up", "conf"] {
        assert_eq!(seen(&home, path)?, (0o750, APP), "{path}");
    }
    for path in ["up/file", "conf/site.conf"] {
        assert_eq!(seen(&home, path)?, (0o644, APP), "{path}");
    }
    Ok(())
}

#[test]
fn an_owner_that_differs_is_put_right_and_taken_back() -> Result<()> {
    let home = home("")?;
    let paths = ["up/dir", "up/file", "conf/site.conf"];
    for path in paths {
        own(&home.path().join("app").join(path), 0)?;
    }
    let before = fs::metadata(home.path().join("app/up/dir"))?.ino();
    restore(&home, &["apply"])?;
    assert_eq!(
        (seen(&home, paths[0])?.1, seen(&home, paths[1])?.1),
        (APP, APP)
    );
    let after = fs::metadata(home.path().join("app/up/dir"))?.ino();
    assert_eq!(before, after, "a directory was replaced");
    restore(&home, &["undo"])?;
    assert_eq!((seen(&home, paths[0])?.1, seen(&home, paths[1])?.1), (0, 0));
    restore(&home, &["apply", "--only", "config"])?;
    assert_eq!(seen(&home, paths[2])?.1, APP);
    restore(&home, &["undo"])?;
    assert_eq!(seen(&home, paths[2])?.1, 0);
    Ok(())
}

#[test]
fn a_directory_stays_for_what_is_excluded_in_it() -> Result<()> {
    let home = home("\"cache/**\"")?;
    let up = home.path().join("app/up");
    fs::create_dir_all(up.join("cache/deep"))?;
    fs::write(up.join("cache/deep/c"), "c")?;
    fs::create_dir(up.join("newer"))?;
    let before = fs::metadata(up.join("cache"))?.ino();
    restore(&home, &["apply"])?;
    ensure!(!up.join("newer").exists());
    assert_eq!(fs::read_to_string(up.join("cache/deep/c"))?, "c");
    assert_eq!(fs::metadata(up.join("cache"))?.ino(), before);
    Ok(())
}
