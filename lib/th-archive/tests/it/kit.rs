//! Directories to back up, and backups of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tempfile::TempDir;
use th_archive::{
    Capture, Captured, Change, Compression, Diff, Entry, EntryPath, Error, Exclude, Listing,
    Previous, Unpack, Unpacked, Watch, open,
};

/// A directory `root` to back up, and backups of it.
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    pub(crate) exclude: Exclude,
    pub(crate) compression: Compression,
    /// The files that the last capture read.
    pub(crate) read: Vec<PathBuf>,
}

/// A backup.
pub(crate) struct Taken {
    pub(crate) captured: Captured,
    pub(crate) dir: PathBuf,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
            exclude: Exclude::default(),
            compression: Compression::Zstd { level: 1 },
            read: Vec::new(),
        };
        fs::create_dir(bench.root()).unwrap();
        fs::create_dir(bench.packs()).unwrap();
        bench
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub(crate) fn packs(&self) -> PathBuf {
        self.dir.path().join("packs")
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Waits until no file is so young that it is read again for that.
    pub(crate) fn age(&self) {
        std::thread::sleep(Duration::from_millis(50));
    }

    pub(crate) fn capture(&mut self, before: Option<&Taken>) -> Taken {
        self.try_capture(before, &AtomicBool::new(false)).unwrap()
    }

    /// Returns how many bytes of a capture are told to be moved, and to be known.
    pub(crate) fn told(&self, before: &Taken) -> (u64, u64) {
        let out = tempfile::tempdir_in(self.dir.path()).unwrap();
        let (mut moved, mut known) = (0, 0);
        let (stop, previous) = (AtomicBool::new(false), before.previous());
        let mut on = |path: &Path, bytes| moved += if path.is_relative() { bytes } else { 0 };
        let mut on_known = |bytes| known += bytes;
        Capture {
            root: &self.root(),
            exclude: &self.exclude,
            compression: self.compression,
            previous: Some(&previous),
            dir: out.path(),
            packs_dir: &self.packs(),
        }
        .run(&mut Watch::new(&stop, &mut on).and_known(&mut on_known))
        .unwrap();
        (moved, known)
    }

    pub(crate) fn try_capture(
        &mut self,
        before: Option<&Taken>,
        stop: &AtomicBool,
    ) -> Result<Taken, Error> {
        let out = tempfile::tempdir_in(self.dir.path()).unwrap().keep();
        let previous = before.map(Taken::previous);
        let mut read = Vec::new();
        let mut on = |path: &Path, _: u64| {
            if path.is_relative() && read.last().is_none_or(|last| last != path) {
                read.push(path.to_owned());
            }
        };
        let captured = Capture {
            root: &self.root(),
            exclude: &self.exclude,
            compression: self.compression,
            previous: previous.as_ref(),
            dir: &out,
            packs_dir: &self.packs(),
        }
        .run(&mut Watch::new(stop, &mut on))?;
        self.read = read;
        Ok(Taken { captured, dir: out })
    }

    /// Unpacks a whole backup to a new directory.
    pub(crate) fn unpack(&self, taken: &Taken) -> (PathBuf, Unpacked) {
        let target = tempfile::tempdir_in(self.dir.path()).unwrap().keep();
        let mut unpack = Unpack::new(&target).unwrap();
        for entry in taken.entries() {
            unpack.want(&entry, &entry.path).unwrap();
        }
        let unpacked = self.run(unpack).unwrap();
        (target, unpacked)
    }

    pub(crate) fn run(&self, unpack: Unpack) -> Result<Unpacked, Error> {
        let packs = self.packs();
        quiet(|watch| unpack.run(&|name| open(&packs.join(name)), watch))
    }

    pub(crate) fn pack_names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.packs())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Taken {
    pub(crate) fn previous(&self) -> Previous {
        Previous {
            dir: self.dir.clone(),
            listing: self.captured.listing.clone(),
            packs: self.captured.files.packs.clone(),
        }
    }

    pub(crate) fn listing(&self) -> Listing {
        Listing::new(open(&self.dir.join(&self.captured.listing.name)).unwrap())
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.listing().collect::<Result<_, _>>().unwrap()
    }

    pub(crate) fn entry(&self, at: &str) -> Entry {
        let mut entries = self.entries().into_iter();
        entries.find(|entry| entry.path == path(at)).unwrap()
    }
}

/// Runs something that nobody watches.
pub(crate) fn quiet<T>(work: impl FnOnce(&mut Watch<'_>) -> T) -> T {
    work(&mut Watch::new(&AtomicBool::new(false), &mut |_, _| {}))
}

/// Returns how `root` differs from a backup.
pub(crate) fn changes(root: &Path, taken: &Taken) -> Vec<Change> {
    let exclude = Exclude::default();
    let mut diff = Diff::new(root, &exclude, taken.listing()).unwrap();
    quiet(|watch| std::iter::from_fn(|| diff.next(watch).unwrap()).collect())
}

pub(crate) fn path(text: &str) -> EntryPath {
    EntryPath::new(text).unwrap()
}

/// What can be seen of a file, and must be the same after a restore.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    kind: &'static str,
    mode: u32,
    owner: (u32, u32),
    mtime: (i64, i64),
    content: Vec<u8>,
}

/// Returns all that is below `root`.
pub(crate) fn seen(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut all = BTreeMap::new();
    look(root, Path::new(""), &mut all);
    all
}

fn look(root: &Path, at: &Path, all: &mut BTreeMap<PathBuf, Seen>) {
    for entry in fs::read_dir(root.join(at)).unwrap() {
        let path = at.join(entry.unwrap().file_name());
        let full = root.join(&path);
        let metadata = fs::symlink_metadata(&full).unwrap();
        let (kind, content) = if metadata.is_dir() {
            look(root, &path, all);
            ("dir", Vec::new())
        } else if metadata.is_symlink() {
            let target = fs::read_link(&full).unwrap();
            ("symlink", target.into_os_string().into_encoded_bytes())
        } else {
            ("file", fs::read(&full).unwrap())
        };
        let seen = Seen {
            kind,
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
            content,
        };
        all.insert(path, seen);
    }
}

/// Runs `work` in a thread that is not root.
pub(crate) fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if rustix::process::geteuid().is_root() {
                rustix::thread::set_thread_gid(rustix::fs::Gid::from_raw(65534)).unwrap();
                rustix::thread::set_thread_uid(rustix::fs::Uid::from_raw(65534)).unwrap();
            }
            work()
        });
        thread.join().unwrap()
    })
}

/// Returns bytes that do not compress and differ from those of another seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Writes a tar of raw members: name, type flag, link name, content.
pub(crate) fn tar(to: &Path, members: &[(&[u8], u8, &str, &[u8])]) {
    let mut bytes = Vec::new();
    for (name, kind, link, content) in members {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    File::create(to).unwrap().write_all(&bytes).unwrap();
}
