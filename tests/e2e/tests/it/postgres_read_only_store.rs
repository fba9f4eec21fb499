//! A store that may only be read, or is full: it is restored from and verified all the same.

use std::fs;

use anyhow::{Result, ensure};
use th_kit::{Ended, Store, Tmpfs};

use crate::setup::{App, Home, bulk, cluster};

/// An app whose state is not in its store.
struct Apart {
    app: App<'static>,
    home: Home,
}

impl Apart {
    /// Backs up onto `disk`, and changes what is live.
    fn new(disk: &Tmpfs) -> Result<Self> {
        let mut app = App::new(cluster()?, "unwritten", &bulk(10))?;
        app.store = Store::within(disk.path())?;
        let made = app.tool("th-backup")?.args(["--prove", "none"]);
        made.run()?.expect(0)?;
        app.server
            .psql(&app.database, "UPDATE marker SET word = 'live'")?;
        fs::write(app.files.path().join("2026/1.txt"), "live")?;
        let home = Home::new(&format!(
            "app = \"a\"\n[env.test]\nroot = \".\"\n[env.test.files]\nuploads = \"{}\"\n\
             [env.test.backup]\nstore = \"{}\"\n",
            app.files.path().display(),
            app.store.path().display()
        ))?;
        Ok(Self { app, home })
    }

    fn restore(&self, args: &[&str]) -> Result<Ended> {
        let tool = self.home.tool("th-restore")?.args(args);
        self.app.server.target(tool, &self.app.database).run()
    }

    fn files_are_original(&self) -> Result<()> {
        let file = self.app.files.path().join("2026/1.txt");
        ensure!(fs::read(file)? != b"live", "the files are not restored");
        Ok(())
    }

    fn is_original(&self) -> Result<()> {
        let marker = "SELECT word FROM marker";
        let word = self.app.server.psql(&self.app.database, marker)?;
        assert_eq!(word, "original");
        self.files_are_original()
    }
}

fn warns(ended: &Ended) -> Result<()> {
    let warnings = ended.record["warnings"].to_string();
    ensure!(warnings.contains("is not noted"), "{}", ended.record);
    Ok(())
}

#[test]
fn one_that_may_only_be_read() -> Result<()> {
    let disk = Tmpfs::mount("size=16m")?;
    let apart = Apart::new(&disk)?;
    let store = &apart.app.store;
    // What a run that died has left cannot be swept.
    fs::create_dir(store.path().join("incoming/20200101T000000Z-00aa.part"))?;
    disk.resize("ro")?;
    for level in ["bytes", "content"] {
        let ended = apart.restore(&["verify", "--level", level])?.expect(0)?;
        warns(&ended)?;
        assert_eq!(ended.data()["reached"], level);
        assert_eq!(ended.record["changed"], false);
    }
    let plan = apart.restore(&["apply", "--plan"])?.expect(0)?;
    let path = format!("\"path\":\"{}\"", store.path().display());
    ensure!(!plan.record.to_string().contains(&path), "{}", plan.record);
    let ended = apart.restore(&["apply"])?.expect(0)?;
    warns(&ended)?;
    assert_eq!(ended.data()["proof"], "content");
    apart.is_original()?;
    // That a set does not hold is told too.
    disk.resize("rw")?;
    let set = store.set(&store.sets()?[0]);
    fs::write(set.join("globals.sql.zst"), "damaged")?;
    disk.resize("ro")?;
    apart.restore(&["verify", "--level", "bytes"])?.expect(14)?;
    disk.resize("rw")
}

#[test]
fn one_that_is_full() -> Result<()> {
    let disk = Tmpfs::mount("size=16m")?;
    let apart = Apart::new(&disk)?;
    disk.fill(0)?;
    warns(&apart.restore(&["verify", "--level", "bytes"])?.expect(0)?)?;
    warns(&apart.restore(&["apply", "--only", "files"])?.expect(0)?)?;
    apart.files_are_original()?;
    // A restore is refused before it is begun: the dump is spooled there.
    apart.restore(&["apply"])?.expect(13)?;
    disk.lighten()?;
    apart.restore(&["apply"])?.expect(0)?;
    apart.is_original()
}
