//! Stores with real sets in them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;
use th_archive::{Capture, Compression, Exclude, Stored, Watch, config};
use th_record::{CONFIG, Config, DUMP, Id, Level, Manifest, Reached};
use th_store::{Bytes, Error, Incoming, Published, Store, restore_notes};

/// A store, and a directory `root` of files to back up.
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    pub(crate) store: Store,
}

pub(crate) const FIRST: &str = "20261123T020000Z-7f3a";
pub(crate) const SECOND: &str = "20261124T020000Z-0001";

pub(crate) fn id(text: &str) -> Id {
    text.parse().unwrap()
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create(&dir.path().join("store")).unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        Self { dir, store }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Backs up `root` as the set `name`, on top of the newest set.
    pub(crate) fn publish(&self, name: &str) -> Published {
        let (incoming, manifest) = self.prepare(name);
        let notes = restore_notes(&manifest);
        incoming.publish(manifest, &notes).unwrap()
    }

    /// Writes all of a set but its manifest.
    pub(crate) fn prepare(&self, name: &str) -> (Incoming, Manifest) {
        // As a process of its own: what it loads is in use no longer than it lives.
        let store = Store::open(self.store.path()).unwrap();
        let sets = store.sets().unwrap();
        let previous = sets.iter().find_map(|set| set.set());
        let previous = previous.and_then(|set| store.previous(&store.load(&set.id).unwrap()));
        let incoming = self.store.begin(&id(name)).unwrap();
        let dir = incoming.dir();
        let compression = Compression::Zstd { level: 1 };
        let mut dump = Stored::create(&dir, DUMP, compression).unwrap();
        dump.write_all(b"the dump").unwrap();
        let dump = dump.finish().unwrap().object;
        fs::write(self.dir.path().join(".env"), "SECRET=1\n").unwrap();
        let config_object =
            config::write(&dir, CONFIG, self.dir.path(), &[".env"], compression).unwrap();
        let captured = Capture {
            root: &self.root(),
            exclude: &Exclude::default(),
            compression,
            previous: previous.as_ref(),
            dir: &dir,
            packs_dir: &incoming.packs_dir(),
        }
        .run(&mut Watch::new(&AtomicBool::new(false), &mut |_, _| {}))
        .unwrap();
        let mut manifest: Manifest =
            serde_json::from_str(include_str!("../manifest.json")).unwrap();
        manifest.id = id(name);
        manifest.started_at = time(name);
        manifest.objects = vec![dump, config_object, captured.listing];
        manifest.files = Some(captured.files);
        manifest.config = Some(Config {
            root: self.dir.path().display().to_string(),
            names: vec![".env".into()],
        });
        (incoming, manifest)
    }

    pub(crate) fn verify(&self, manifest: &Manifest) -> Result<Bytes, Error> {
        let stop = AtomicBool::new(false);
        let mut on = |_: &Path, _: u64| {};
        self.store.verify_bytes(
            manifest,
            &Default::default(),
            &mut Watch::new(&stop, &mut on),
        )
    }
}

pub(crate) fn time(name: &str) -> chrono::DateTime<chrono::Utc> {
    chrono::NaiveDateTime::parse_from_str(&name[..16], "%Y%m%dT%H%M%SZ")
        .unwrap()
        .and_utc()
}

pub(crate) fn reached(level: Level) -> Reached {
    Reached {
        level,
        at: time(SECOND),
        tool: "th-backup".into(),
        version: "0.1.0".into(),
        duration_seconds: 1.25,
    }
}

/// Returns the names in a directory.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
