//! What a restore does to a directory, one path at a time, and how that is taken back.
//!
//! Everything new is first written beside the old, in `.th-restore/<id>/new` of the same directory:
//! a bind-mounted directory cannot be renamed, and another file system cannot be renamed to. Then
//! each path is moved; what it replaces goes to `.th-restore/<id>/old`. The list of moves is on
//! disk before the first, and each can be done again, so that a run which died is finished by the
//! next.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use th_archive::{EntryPath, RESERVED, Tree};
use th_record::Id;

use crate::Error;

const LIST: &str = "moves";

/// One move. What is at the path before is called old, what is there after it new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// There is no old.
    Add,
    /// Old and new are files or links: the new takes the old's place with no gap.
    Replace,
    /// One of them is a directory, which can only be moved out of the way.
    Swap,
    /// There is no new.
    Remove,
    /// A directory whose permission bits change.
    Mode { old: u32, new: u32 },
    /// A directory whose owner and group change.
    Owner { old: (u32, u32), new: (u32, u32) },
}

/// Which way the moves are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forth,
    Back,
}

/// The place beside a directory's files where a restore keeps what is not live.
#[derive(Debug, Clone)]
pub(crate) struct Aside {
    root: PathBuf,
    id: Id,
}

impl Aside {
    /// Returns the place of the restore `id` in `root`.
    pub(crate) fn new(root: &Path, id: &Id) -> Self {
        Self {
            root: root.to_owned(),
            id: id.clone(),
        }
    }

    /// Returns the directory.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root.join(RESERVED).join(self.id.as_str())
    }

    /// Returns the directory of what will be live.
    pub(crate) fn new_dir(&self) -> PathBuf {
        self.dir().join("new")
    }

    /// Returns the directory of what was live.
    pub(crate) fn old_dir(&self) -> PathBuf {
        self.dir().join("old")
    }

    /// Makes the place, empty.
    pub(crate) fn create(&self) -> Result<(), Error> {
        use std::os::unix::fs::DirBuilderExt;
        for dir in [self.new_dir(), self.old_dir()] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&dir)
                .map_err(Error::io(&dir))?;
        }
        Ok(())
    }

    /// Returns the directory of what was live, if there is anything in it.
    pub(crate) fn kept(&self) -> Option<PathBuf> {
        let old = self.old_dir();
        let holds_any = fs::read_dir(&old).is_ok_and(|mut entries| entries.next().is_some());
        holds_any.then_some(old)
    }

    /// Tells whether there is a list of moves, which goes first of all that is kept here.
    pub(crate) fn is_listed(&self) -> Result<bool, Error> {
        let path = self.dir().join(LIST);
        path.try_exists().map_err(Error::io(&path))
    }

    /// Removes the place and all that is kept in it, if it is there. Without its list no part of it
    /// is ever taken for the whole.
    pub(crate) fn discard(&self) -> Result<(), Error> {
        let dir = self.dir();
        let list = dir.join(LIST);
        match fs::remove_file(&list) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(&list)(error));
            }
            _ => {}
        }
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(&dir)(error)),
            _ => {
                // Fails when another restore still keeps something there.
                let _ = fs::remove_dir(self.root.join(RESERVED));
                Ok(())
            }
        }
    }

    /// Begins the list of moves.
    pub(crate) fn list(&self) -> Result<List, Error> {
        let path = self.dir().join(LIST);
        let file = File::create_new(&path).map_err(Error::io(&path))?;
        Ok(List {
            file: BufWriter::new(file),
            path,
        })
    }

    /// Does all moves that are not done yet; returns how many there are.
    pub(crate) fn go(&self, way: Way) -> Result<u64, Error> {
        let tree = Tree::open(&self.root).map_err(Error::io(&self.root))?;
        let mut moves = self.read()?;
        if way == Way::Back {
            moves.reverse();
        }
        let inner = |name: &str, path: &EntryPath| {
            let base = Path::new(RESERVED).join(self.id.as_str()).join(name);
            EntryPath::new(base.join(path)).map_err(io::Error::other)
        };
        for (step, path) in &moves {
            let (from, to) = match way {
                Way::Forth => (inner("new", path), inner("old", path)),
                Way::Back => (inner("old", path), inner("new", path)),
            };
            from.and_then(|from| self.step(&tree, *step, way, path, &from, &to?))
                .map_err(Error::io(&self.root.join(path)))?;
        }
        tree.sync().map_err(Error::io(&self.root))?;
        Ok(moves.len() as u64)
    }

    /// Takes all moves back, and keeps what was live until then as of the undo `id`; returns how many
    /// there are.
    pub(crate) fn undo(&self, id: Option<&Id>) -> Result<u64, Error> {
        let kept = match id {
            Some(id) => Self::new(&self.root, id),
            // By a version that kept it as of the restore.
            None => return self.go(Way::Back),
        };
        if kept.is_listed()? {
            return Ok(kept.read()?.len() as u64);
        }
        let count = self.go(Way::Back)?;
        fs::rename(self.dir(), kept.dir()).map_err(Error::io(&kept.dir()))?;
        let tree = Tree::open(&self.root).map_err(Error::io(&self.root))?;
        tree.sync().map_err(Error::io(&self.root))?;
        Ok(count)
    }

    /// Does one move: what is at `from` becomes live, what is live goes to `to`, also where nothing
    /// was to be live: the app goes on writing while a restore is on its way.
    fn step(
        &self,
        tree: &Tree,
        step: Move,
        way: Way,
        live: &EntryPath,
        from: &EntryPath,
        to: &EntryPath,
    ) -> io::Result<()> {
        let there = |path: &EntryPath| fs::symlink_metadata(self.root.join(path)).is_ok();
        match (step, way) {
            (Move::Mode { new: mode, .. }, Way::Forth)
            | (Move::Mode { old: mode, .. }, Way::Back) => tree.set_dir_mode(live, mode),
            (Move::Owner { new: owner, .. }, Way::Forth)
            | (Move::Owner { old: owner, .. }, Way::Back) => tree.set_dir_owner(live, owner),
            (Move::Remove, Way::Forth) | (Move::Add, Way::Back) => {
                if there(live) && !there(to) {
                    tree.rename(live, to)?;
                }
                if there(from) {
                    tree.rename(from, live)?;
                }
                Ok(())
            }
            _ if !there(from) => Ok(()),
            (Move::Replace, _) => {
                // Where no link can be made, for want of inodes or by the file system, there is a gap.
                if there(live) && !there(to) && tree.link(live, to).is_err() {
                    tree.rename(live, to)?;
                }
                tree.rename(from, live)
            }
            (Move::Add, Way::Forth) | (Move::Remove, Way::Back) | (Move::Swap, _) => {
                if there(live) && !there(to) {
                    tree.rename(live, to)?;
                }
                tree.rename(from, live)
            }
        }
    }

    fn read(&self) -> Result<Vec<(Move, EntryPath)>, Error> {
        let path = self.dir().join(LIST);
        let file = File::open(&path).map_err(Error::io(&path))?;
        let records = BufReader::new(file).split(0);
        records
            .map(|record| parse(&record?).ok_or_else(|| io::ErrorKind::InvalidData.into()))
            .collect::<io::Result<_>>()
            .map_err(Error::io(&path))
    }
}

/// The list of moves, being written: `word path`, each ended by a NUL, which no path holds.
pub(crate) struct List {
    file: BufWriter<File>,
    path: PathBuf,
}

impl List {
    /// Adds a move of `path`.
    pub(crate) fn push(&mut self, step: Move, path: &EntryPath) -> Result<(), Error> {
        let word = match step {
            Move::Add => "add".to_owned(),
            Move::Replace => "replace".to_owned(),
            Move::Swap => "swap".to_owned(),
            Move::Remove => "remove".to_owned(),
            Move::Mode { old, new } => format!("mode:{old:o}:{new:o}"),
            Move::Owner { old, new } => {
                format!("owner:{}:{}:{}:{}", old.0, old.1, new.0, new.1)
            }
        };
        self.file
            .write_all(word.as_bytes())
            .and_then(|()| self.file.write_all(b" "))
            .and_then(|()| self.file.write_all(path.as_bytes()))
            .and_then(|()| self.file.write_all(b"\0"))
            .map_err(Error::io(&self.path))
    }

    /// Makes the list durable.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let failed = Error::io(&self.path);
        self.file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(failed)
    }
}

fn parse(record: &[u8]) -> Option<(Move, EntryPath)> {
    let space = record.iter().position(|byte| *byte == b' ')?;
    let path = EntryPath::from_bytes(&record[space + 1..]).ok()?;
    let mut words = std::str::from_utf8(&record[..space]).ok()?.split(':');
    let step = match words.next()? {
        "add" => Move::Add,
        "replace" => Move::Replace,
        "swap" => Move::Swap,
        "remove" => Move::Remove,
        "mode" => {
            let mut mode = || u32::from_str_radix(words.next()?, 8).ok();
            Move::Mode {
                old: mode()?,
                new: mode()?,
            }
        }
        "owner" => {
            let mut number = || words.next()?.parse().ok();
            Move::Owner {
                old: (number()?, number()?),
                new: (number()?, number()?),
            }
        }
        _ => return None,
    };
    Some((step, path))
}

#[cfg(test)]
mod tests;
