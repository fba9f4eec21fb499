//! The lanes: a directory of symlinks to slots. They are the traffic.
//!
//! nginx resolves a lane at each connect, so a rename of a symlink is the switch: no request meets
//! a half-made one, and none has to be told.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use th_record::kind::Slot;

use crate::Error;

/// The lanes of an environment.
#[derive(Debug, Clone)]
pub(crate) struct Lanes {
    dir: PathBuf,
    count: u16,
}

/// Where the lanes lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Each lane's slot, in order; `None` for a lane that is missing or leads nowhere.
    pub(crate) lanes: Vec<Option<Slot>>,
}

impl Layout {
    /// Returns the slot that all lanes lead to.
    pub(crate) fn slot(&self) -> Option<Slot> {
        let first = (*self.lanes.first()?)?;
        self.lanes
            .iter()
            .all(|lane| *lane == Some(first))
            .then_some(first)
    }

    /// Returns how many lanes lead to `slot`.
    pub(crate) fn count(&self, slot: Slot) -> u16 {
        self.lanes
            .iter()
            .filter(|lane| **lane == Some(slot))
            .count() as u16
    }

    /// Returns how many lanes lead nowhere.
    pub(crate) fn broken(&self) -> u16 {
        self.lanes.iter().filter(|lane| lane.is_none()).count() as u16
    }
}

impl Lanes {
    pub(crate) fn new(dir: PathBuf, count: u16) -> Self {
        Self { dir, count }
    }

    /// Returns their directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns how many there are.
    pub(crate) fn len(&self) -> u16 {
        self.count
    }

    /// Returns the path of lane `number`.
    pub(crate) fn path(&self, number: u16) -> PathBuf {
        self.dir.join(format!("{number:02}"))
    }

    /// Reads where they lead.
    pub(crate) fn read(&self) -> Result<Layout, Error> {
        let lane = |number| {
            let path = self.path(number);
            match fs::read_link(&path) {
                Ok(target) => Ok(slot_of(&target)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                // Not a symlink.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(None),
                Err(error) => Err(Error::io(&path)(error)),
            }
        };
        let lanes = (0..self.count).map(lane).collect::<Result<_, _>>()?;
        Ok(Layout { lanes })
    }

    /// Returns the numbers of those that are there and not counted, in order: once there were more.
    pub(crate) fn beyond(&self) -> Result<Vec<u16>, Error> {
        let mut beyond = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(Error::io(&self.dir))? {
            let name = entry.map_err(Error::io(&self.dir))?.file_name();
            let number = name.to_str().and_then(|name| name.parse::<u16>().ok());
            beyond.extend(number.filter(|number| *number >= self.count));
        }
        beyond.sort_unstable();
        Ok(beyond)
    }

    /// Leads all lanes to `slot`.
    pub(crate) fn repoint(&self, slot: Slot) -> Result<(), Error> {
        self.share(slot, self.count)
    }

    /// Leads the first `count` lanes to `slot` and all others to the other one, and reads that back.
    /// Lanes that lead there already are left alone.
    pub(crate) fn share(&self, slot: Slot, count: u16) -> Result<(), Error> {
        let before = self.read()?;
        let wanted = |number| if number < count { slot } else { slot.other() };
        for number in 0..self.count {
            if before.lanes[usize::from(number)] != Some(wanted(number)) {
                self.lead(number, wanted(number))?;
            }
        }
        self.sync()?;
        let after = self.read()?;
        match (0..self.count).find(|n| after.lanes[usize::from(*n)] != Some(wanted(*n))) {
            None => Ok(()),
            Some(number) => Err(Error::Lane(self.path(number))),
        }
    }

    /// Removes all of them, as before the first release.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        for number in 0..self.count {
            let path = self.path(number);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io(&path)(error));
                }
                _ => {}
            }
        }
        self.sync()
    }

    /// Makes what was done to them durable.
    fn sync(&self) -> Result<(), Error> {
        let dir = fs::File::open(&self.dir).map_err(Error::io(&self.dir))?;
        dir.sync_all().map_err(Error::io(&self.dir))
    }

    /// Puts a new symlink over lane `number`, at once.
    fn lead(&self, number: u16, slot: Slot) -> Result<(), Error> {
        let path = self.path(number);
        let next = self.dir.join(format!(".{number:02}.next"));
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(&next)(error));
            }
            _ => {}
        }
        symlink(Path::new("..").join(slot.name()), &next).map_err(Error::io(&next))?;
        fs::rename(&next, &path).map_err(Error::io(&path))
    }
}

/// Returns the slot that a symlink's target names.
fn slot_of(target: &Path) -> Option<Slot> {
    Slot::ALL
        .into_iter()
        .find(|slot| target == Path::new("..").join(slot.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes() -> (tempfile::TempDir, Lanes) {
        let dir = tempfile::tempdir().unwrap();
        let lanes = Lanes::new(dir.path().to_owned(), 10);
        (dir, lanes)
    }

    #[test]
    fn they_are_led_anywhere_from_any_state() {
        let (_dir, lanes) = lanes();
        assert_eq!(lanes.read().unwrap().broken(), 10);
        lanes.repoint(Slot::Blue).unwrap();
        assert_eq!(lanes.read().unwrap().slot(), Some(Slot::Blue));
        lanes.share(Slot::Green, 3).unwrap();
        let mixed = lanes.read().unwrap();
        assert_eq!((mixed.slot(), mixed.count(Slot::Green)), (None, 3));
        fs::remove_file(lanes.path(4)).unwrap();
        symlink("/elsewhere", lanes.path(4)).unwrap();
        assert_eq!(lanes.read().unwrap().broken(), 1);
        // What a run that was killed has left.
        symlink("../blue", lanes.dir().join(".05.next")).unwrap();
        lanes.repoint(Slot::Green).unwrap();
        assert_eq!(lanes.read().unwrap().slot(), Some(Slot::Green));
        assert_eq!(fs::read_dir(lanes.dir()).unwrap().count(), 10);
        // Some of them gone already.
        fs::remove_file(lanes.path(0)).unwrap();
        lanes.remove().unwrap();
        assert_eq!(fs::read_dir(lanes.dir()).unwrap().count(), 0);
    }

    #[test]
    fn lanes_beyond_the_count_are_told() {
        let (dir, lanes) = lanes();
        lanes.repoint(Slot::Blue).unwrap();
        assert!(lanes.beyond().unwrap().is_empty());
        symlink("../blue", lanes.dir().join(".05.next")).unwrap();
        let fewer = Lanes::new(dir.path().to_owned(), 8);
        assert_eq!(fewer.beyond().unwrap(), vec![8, 9]);
    }

    #[test]
    fn a_directory_in_the_way_is_an_error_and_not_traffic() {
        let (_dir, lanes) = lanes();
        lanes.repoint(Slot::Blue).unwrap();
        fs::remove_file(lanes.path(7)).unwrap();
        fs::create_dir(lanes.path(7)).unwrap();
        assert!(lanes.repoint(Slot::Green).is_err());
        assert_eq!(lanes.read().unwrap().slot(), None);
    }
}
