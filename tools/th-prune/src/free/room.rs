//! How much is free, and whether that is enough.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use th_cli::Run;
use th_record::kind::FreedDisk;

use super::TargetFree;
use crate::Error;

/// What is on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The environment's root.
    Root,
    /// Docker's data.
    Docker,
}

/// The disks that are to have room.
#[derive(Debug)]
pub(crate) struct Room {
    /// None: there never is enough.
    disks: Option<Vec<Disk>>,
    /// Whose disk counts now; all, if none is named.
    aim: Option<Place>,
    /// With `--plan`, what would have been given back.
    promised: Option<u64>,
}

#[derive(Debug)]
struct Disk {
    path: PathBuf,
    device: u64,
    places: Vec<Place>,
    before: Space,
    target_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Space {
    total_bytes: u64,
    free_bytes: u64,
}

impl Room {
    /// There never is enough: everything that may go goes.
    pub(crate) fn endless() -> Self {
        Self {
            disks: None,
            aim: None,
            promised: None,
        }
    }

    /// Looks at the disks of `places`. Docker's may be on another machine: then it is not looked at.
    ///
    /// # Errors
    /// That the root's disk cannot be looked at.
    pub(super) fn measure(
        run: &mut Run,
        places: &[(Place, PathBuf)],
        target: TargetFree,
    ) -> Result<Self, Error> {
        let mut disks: Vec<Disk> = Vec::new();
        for (place, path) in places {
            let look = std::fs::metadata(path).and_then(|it| Ok((it.dev(), space(path)?)));
            let (device, before) = match look {
                Ok(found) => found,
                Err(error) if *place == Place::Docker => {
                    let path = path.display();
                    run.warn(format!(
                        "docker's disk at '{path}' is not looked at: {error}"
                    ));
                    continue;
                }
                Err(error) => return Err(Error::io(path)(error)),
            };
            match disks.iter_mut().find(|disk| disk.device == device) {
                Some(disk) => disk.places.push(*place),
                None => disks.push(Disk {
                    path: path.clone(),
                    device,
                    places: vec![*place],
                    before,
                    target_bytes: target.of(before.total_bytes),
                }),
            }
        }
        Ok(Self {
            disks: Some(disks),
            aim: None,
            promised: run.output.plan.then_some(0),
        })
    }

    /// Lets only the disk of `place` count from now on, or all.
    pub(super) fn aim(&mut self, place: Option<Place>) {
        self.aim = place;
    }

    /// Tells whether there is room enough now. A disk that cannot be looked at any more has enough:
    /// nothing is deleted for it.
    pub(crate) fn is_enough(&self) -> bool {
        let is_aimed_at = |disk: &&Disk| self.aim.is_none_or(|place| disk.places.contains(&place));
        self.disks.as_ref().is_some_and(|disks| {
            disks.iter().filter(is_aimed_at).all(|disk| {
                let free = space(&disk.path).map_or(u64::MAX, |space| space.free_bytes);
                free.saturating_add(self.promised.unwrap_or(0)) >= disk.target_bytes
            })
        })
    }

    /// Notes what a plan would have given back.
    pub(crate) fn give(&mut self, bytes: u64) {
        if let Some(promised) = &mut self.promised {
            *promised += bytes;
        }
    }

    /// Returns the disks as they are now.
    pub(super) fn disks(&self) -> Result<Vec<FreedDisk>, Error> {
        let disks = self.disks.iter().flatten();
        disks
            .map(|disk| {
                let now = space(&disk.path).map_err(Error::io(&disk.path))?;
                Ok(FreedDisk {
                    name: disk.path.to_string_lossy().into_owned(),
                    total_bytes: disk.before.total_bytes,
                    free_before_bytes: disk.before.free_bytes,
                    free_bytes: now.free_bytes,
                    target_free_bytes: disk.target_bytes,
                })
            })
            .collect()
    }
}

/// Returns what this user could use, and how much of it is free, as `df` shows them.
fn space(path: &Path) -> io::Result<Space> {
    let stat = rustix::fs::statvfs(path)?;
    let used = stat.f_blocks - stat.f_bfree;
    Ok(Space {
        total_bytes: (used + stat.f_bavail) * stat.f_frsize,
        free_bytes: stat.f_bavail * stat.f_frsize,
    })
}
