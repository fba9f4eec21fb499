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
    /// With `--plan`, what would be given back counts as free.
    is_plan: bool,
}

#[derive(Debug)]
struct Disk {
    path: PathBuf,
    device: u64,
    places: Vec<Place>,
    before: Space,
    promised_bytes: u64,
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
            is_plan: false,
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
                    promised_bytes: 0,
                    target_bytes: target.of(before.total_bytes),
                }),
            }
        }
        Ok(Self {
            disks: Some(disks),
            aim: None,
            is_plan: run.output.plan,
        })
    }

    /// Lets only the disk of `place` count from now on, or all.
    pub(super) fn aim(&mut self, place: Option<Place>) {
        self.aim = place;
    }

    /// Tells whether there is room enough now. A disk that cannot be looked at any more has enough:
    /// nothing is deleted for it.
    pub(crate) fn is_enough(&self) -> bool {
        let has_enough = |disk: &Disk| {
            let free = space(&disk.path).map_or(u64::MAX, |space| space.free_bytes);
            free.saturating_add(disk.promised_bytes) >= disk.target_bytes
        };
        let mut aimed = self.disks.iter().flatten().filter(|it| it.counts(self.aim));
        self.disks.is_some() && aimed.all(has_enough)
    }

    /// Notes what was given back, or with `--plan` would have been.
    pub(crate) fn give(&mut self, bytes: u64) {
        let aim = self.aim;
        let disks = self.disks.iter_mut().flatten();
        for disk in disks.filter(|disk| self.is_plan && disk.counts(aim)) {
            disk.promised_bytes += bytes;
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

impl Disk {
    /// Tells whether the disk counts when `aim` is looked for.
    fn counts(&self, aim: Option<Place>) -> bool {
        aim.is_none_or(|place| self.places.contains(&place))
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
