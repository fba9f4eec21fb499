//! The files of a restore: compared, written beside the live ones, and listed as moves.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use th_archive::{
    Change, Diff, Digest, Entry, EntryPath, Exclude, Kind, LISTING, Listing, Live, Tree, Unpack,
    Watch, config,
};
use th_cli::Run;
use th_record::kind::FileChanges;
use th_record::{CONFIG, Manifest};
use th_store::Store;

use crate::Error;
use crate::moves::{Aside, List, Move};

/// Writes beside the directory `root` what the set has and the directory has not, and lists the
/// moves that make it what the set says.
pub(crate) fn stage(
    run: &mut Run,
    store: &Store,
    manifest: &Manifest,
    root: &Path,
    exclude: &Exclude,
    aside: &Aside,
) -> Result<FileChanges, Error> {
    make_root(run, root)?;
    aside.create()?;
    watched(run, manifest, |watch| {
        let mut unpack = Unpack::new(&aside.new_dir())?;
        let mut stager = Stager {
            list: aside.list()?,
            whole: None,
            changes: FileChanges::default(),
        };
        let mut diff = Diff::new(root, exclude, listing(store, manifest)?)?;
        while let Some(change) = diff.next(watch)? {
            if let Some(entry) = stager.take(change, root)? {
                unpack.want(&entry, &entry.path)?;
            }
        }
        let Stager {
            list, mut changes, ..
        } = stager;
        list.finish()?;
        changes.written_bytes = unpack.run(&|pack| store.open_pack(pack), watch)?.bytes;
        changes.root = root.to_string_lossy().into_owned();
        Ok(changes)
    })
}

/// Makes the directory if it is missing. A set says nothing of it, so the owner and mode are those
/// of the directory it is in.
fn make_root(run: &mut Run, root: &Path) -> Result<(), Error> {
    let there = root.ancestors().find(|path| path.exists());
    let Some(parent) = there.filter(|path| *path != root) else {
        return Ok(());
    };
    root.strip_prefix(parent)
        .map_err(io::Error::other)
        .and_then(|path| EntryPath::new(path).map_err(io::Error::other))
        .and_then(|path| Tree::open(parent)?.make_dir(&path))
        .map_err(Error::io(root))?;
    run.warn(format!(
        "'{}' was not there, and no set says whose it is: it is made with the owner and mode of '{}'",
        root.display(),
        parent.display()
    ));
    Ok(())
}

/// Writes all files of the set into the empty directory `target`.
pub(crate) fn unpack_into(
    run: &mut Run,
    store: &Store,
    manifest: &Manifest,
    target: &Path,
) -> Result<FileChanges, Error> {
    watched(run, manifest, |watch| {
        let mut changes = FileChanges::default();
        let mut unpack = Unpack::new(target)?;
        for entry in listing(store, manifest)? {
            let entry = entry?;
            unpack.want(&entry, &entry.path)?;
            changes.added += 1;
        }
        changes.written_bytes = unpack.run(&|pack| store.open_pack(pack), watch)?.bytes;
        Ok(changes)
    })
}

/// Does `work` with its progress shown, and stopped when the run is.
fn watched<T>(
    run: &Run,
    manifest: &Manifest,
    work: impl FnOnce(&mut Watch<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let total = manifest.files.as_ref().map_or(0, |files| files.total_bytes);
    let progress = run.progress("files", Some(total));
    let cancel = run.cancel();
    let mut on = |path: &Path, bytes| {
        progress.at(&path.to_string_lossy());
        progress.add(bytes);
    };
    work(&mut Watch::new(&cancel, &mut on))
}

/// Does for the configuration files what [`stage`] does for the files. Those that the set does not
/// hold are left alone.
pub(crate) fn stage_config(
    run: &mut Run,
    store: &Store,
    manifest: &Manifest,
    root: &Path,
    aside: &Aside,
) -> Result<FileChanges, Error> {
    make_root(run, root)?;
    aside.create()?;
    let mut list = aside.list()?;
    let mut changes = FileChanges {
        root: root.to_string_lossy().into_owned(),
        ..FileChanges::default()
    };
    for file in config::read(th_proof::open(store, manifest, CONFIG)?)? {
        let path = root.join(&file.name);
        let step = match fs::metadata(&path) {
            Ok(live) if is_unchanged(&path, &live, &file) => {
                changes.unchanged += 1;
                continue;
            }
            Ok(live) => {
                changes.replaced += 1;
                if live.is_dir() {
                    Move::Swap
                } else {
                    Move::Replace
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                changes.added += 1;
                Move::Add
            }
            Err(error) => return Err(Error::io(&path)(error)),
        };
        write_config(&aside.new_dir().join(&file.name), &file)?;
        changes.written_bytes += file.bytes.len() as u64;
        list.push(step, &file.name)?;
    }
    list.finish()?;
    Ok(changes)
}

/// Tells whether the live configuration file is as it was stored. What cannot be read is not.
fn is_unchanged(path: &Path, live: &fs::Metadata, file: &config::ConfigFile) -> bool {
    let is_owned = || (u64::from(live.uid()), u64::from(live.gid())) == (file.uid, file.gid);
    live.is_file()
        && (live.mode() ^ file.mode) & 0o777 == 0
        // Only root can give it to another owner.
        && (!rustix::process::geteuid().is_root() || is_owned())
        && fs::read(path).is_ok_and(|bytes| Digest::of(&bytes) == file.sha256)
}

/// Writes the configuration files into the empty directory `target`.
pub(crate) fn config_into(
    store: &Store,
    manifest: &Manifest,
    target: &Path,
) -> Result<FileChanges, Error> {
    let mut changes = FileChanges::default();
    for file in config::read(th_proof::open(store, manifest, CONFIG)?)? {
        write_config(&target.join(&file.name), &file)?;
        changes.added += 1;
        changes.written_bytes += file.bytes.len() as u64;
    }
    Ok(changes)
}

fn write_config(path: &Path, file: &config::ConfigFile) -> Result<(), Error> {
    use std::io::Write;
    let failed = Error::io(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io(parent))?;
    }
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut out| {
            out.write_all(&file.bytes)?;
            out.set_permissions(fs::Permissions::from_mode(file.mode & 0o777))?;
            if rustix::process::geteuid().is_root() {
                std::os::unix::fs::fchown(&out, Some(file.uid as u32), Some(file.gid as u32))?;
            }
            out.sync_all()
        })
        .map_err(failed)
}

fn listing(store: &Store, manifest: &Manifest) -> Result<Listing, Error> {
    Ok(Listing::new(th_proof::open(store, manifest, LISTING)?))
}

/// Turns changes into moves.
struct Stager {
    list: List,
    /// A directory that is moved as a whole: what is in it needs no move of its own.
    whole: Option<EntryPath>,
    changes: FileChanges,
}

impl Stager {
    /// Notes the move for a change, and returns the entry that has to be written for it.
    fn take(&mut self, change: Change, root: &Path) -> Result<Option<Entry>, Error> {
        match change {
            Change::Unchanged(_) => {
                self.changes.unchanged += 1;
                Ok(None)
            }
            Change::Add(entry) => {
                self.changes.added += 1;
                if !self.is_within(&entry.path) {
                    self.push(Move::Add, &entry.path, matches!(entry.kind, Kind::Dir))?;
                }
                Ok(Some(entry))
            }
            Change::Replace(entry, Live::Dir) if matches!(entry.kind, Kind::Dir) => {
                self.changes.replaced += 1;
                let path = root.join(&entry.path);
                let live = fs::symlink_metadata(&path).map_err(Error::io(&path))?;
                let (old, new) = (live.mode() & 0o7777, entry.meta.mode);
                if old != new {
                    self.push(Move::Mode { old, new }, &entry.path, false)?;
                }
                let (old, new) = ((live.uid(), live.gid()), (entry.meta.uid, entry.meta.gid));
                if old != new && rustix::process::geteuid().is_root() {
                    self.push(Move::Owner { old, new }, &entry.path, false)?;
                }
                Ok(None)
            }
            Change::Replace(entry, live) => {
                self.changes.replaced += 1;
                let is_dir = matches!(entry.kind, Kind::Dir);
                let swap = is_dir || live == Live::Dir;
                let step = if swap { Move::Swap } else { Move::Replace };
                self.push(step, &entry.path, swap)?;
                Ok(Some(entry))
            }
            Change::Remove(path, live) => {
                self.changes.removed += 1;
                if !self.is_within(&path) {
                    self.push(Move::Remove, &path, live == Live::Dir)?;
                }
                Ok(None)
            }
        }
    }

    fn push(&mut self, step: Move, path: &EntryPath, whole: bool) -> Result<(), Error> {
        self.whole = whole.then(|| path.clone());
        self.list.push(step, path)
    }

    fn is_within(&self, path: &EntryPath) -> bool {
        self.whole
            .as_ref()
            .is_some_and(|whole| path.as_path().starts_with(whole.as_path()))
    }
}
