//! A directory that is filled with a part of a set: wholly, or not at all.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::Utc;
use th_archive::Tree;
use th_cli::Run;
use th_record::Id;
use th_record::kind::FileChanges;
use th_state::restores::Phase;

use super::note::Note;
use crate::Error;
use crate::context::Context;
use crate::moves::Aside;

/// A directory on its way. Everything is first written in `.th-restore/<id>` of it: it may be a
/// mount, which cannot be renamed.
pub(super) struct Filling {
    root: PathBuf,
    aside: Aside,
    made: bool,
}

/// Lets `write` write the content of `target`, which must be empty or missing, and is again if that
/// fails. It is given the directory to write to.
pub(super) fn fill(
    context: &Context,
    run: &mut Run,
    target: &Path,
    write: impl FnOnce(&mut Run, &Path) -> Result<FileChanges, Error>,
) -> Result<FileChanges, Error> {
    let root = std::path::absolute(target).map_err(Error::io(target))?;
    let made = match entries(&root) {
        Ok(found) if found.is_empty() => false,
        Ok(_) => return Err(Error::NotEmpty(target.to_owned())),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(error),
    };
    let id = Id::new(Utc::now());
    let filling = Filling::new(&root, &id, made);
    let note = |phase| Note::Directory {
        root: root.clone(),
        id: id.clone(),
        made,
        phase,
    };
    note(Phase::Staging).enter(&context.state)?;
    let written = filling
        .create()
        .and_then(|()| write(run, &filling.aside.new_dir()))
        .and_then(|changes| {
            note(Phase::Switching).enter(&context.state)?;
            filling.move_all().map(|()| changes)
        });
    match written {
        Ok(mut changes) => {
            changes.root = target.to_string_lossy().into_owned();
            // All is in its place, which a later run sees too.
            run.changed();
            filling.aside.discard()?;
            Note::clear(&context.state)?;
            Ok(changes)
        }
        Err(error) => {
            // The first error says more than one of these could. What they leave, the next run sees to.
            if filling.take_back().is_ok() {
                let _ = Note::clear(&context.state);
            }
            Err(error)
        }
    }
}

impl Filling {
    pub(super) fn new(root: &Path, id: &Id, made: bool) -> Self {
        Self {
            root: root.to_owned(),
            aside: Aside::new(root, id),
            made,
        }
    }

    fn create(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.root).map_err(Error::io(&self.root))?;
        self.aside.create()
    }

    /// Moves what is written to its place, as far as it is not there yet: all, or nothing.
    fn move_all(&self) -> Result<(), Error> {
        let new = self.aside.new_dir();
        let mut names = entries(&new)?;
        // Nothing that came to be there meanwhile is replaced.
        let is_there = |name: &OsString| self.root.join(name).symlink_metadata().is_ok();
        if names.iter().any(is_there) {
            return Err(Error::NotEmpty(self.root.clone()));
        }
        for at in 0..names.len() {
            let place = self.root.join(&names[at]);
            if let Err(error) = fs::rename(new.join(&names[at]), &place) {
                names.truncate(at);
                for name in names {
                    let _ = fs::rename(self.root.join(&name), new.join(&name));
                }
                return Err(Error::io(&place)(error));
            }
        }
        let tree = Tree::open(&self.root).map_err(Error::io(&self.root))?;
        tree.sync().map_err(Error::io(&self.root))
    }

    /// Goes on with the moves of a run that died, and removes what it needed for them.
    pub(super) fn finish(&self) -> Result<(), Error> {
        match self.move_all() {
            // They were all done.
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        self.aside.discard()
    }

    /// Removes what is written and not in its place, and the directory unless something else is in it.
    pub(super) fn take_back(&self) -> Result<(), Error> {
        self.aside.discard()?;
        if self.made {
            let _ = fs::remove_dir(&self.root);
        }
        Ok(())
    }
}

fn entries(dir: &Path) -> Result<Vec<OsString>, Error> {
    let names = fs::read_dir(dir).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<_>>()
    });
    names.map_err(Error::io(dir))
}
