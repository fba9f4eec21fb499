//! What a backup will do, from what was observed. Nothing here touches anything.

use th_record::kind::{BackupPlan, Space};
use th_record::{Id, Level};

use crate::Error;

/// A dump takes about a quarter of its database's size on disk, until a first set tells better.
const FIRST_RATIO: u64 = 4;

/// What was found before anything is changed.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) store: String,
    pub(crate) database: Option<ObservedDatabase>,
    pub(crate) files: Option<ObservedFiles>,
    pub(crate) config: Vec<String>,
    pub(crate) prove: Option<Level>,
    pub(crate) free_bytes: Option<u64>,
    pub(crate) durations: Vec<f64>,
}

#[derive(Debug)]
pub(crate) struct ObservedDatabase {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) size_bytes: u64,
    /// The last dump, of the newest set that has one.
    pub(crate) last: Option<LastDump>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct LastDump {
    /// Before compression.
    pub(crate) dump_bytes: u64,
    pub(crate) stored_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct ObservedFiles {
    pub(crate) root: String,
    pub(crate) total_bytes: u64,
    /// The newest set that has files, which unchanged ones are taken from.
    pub(crate) last: Option<LastFiles>,
}

#[derive(Debug, Clone)]
pub(crate) struct LastFiles {
    pub(crate) set: Id,
    pub(crate) total_bytes: u64,
}

impl Observed {
    /// Returns how much there will be to dump: as much as last time, or at most the whole database.
    pub(crate) fn dump_bytes(&self) -> Option<u64> {
        let database = self.database.as_ref()?;
        let last = database.last.map(|last| last.dump_bytes);
        Some(last.unwrap_or(database.size_bytes))
    }

    /// Returns the size of the files there will be.
    pub(crate) fn files_bytes(&self) -> Option<u64> {
        Some(self.files.as_ref()?.total_bytes)
    }

    /// Makes the plan.
    ///
    /// # Errors
    /// [`Error::Nothing`].
    pub(crate) fn plan(self) -> Result<BackupPlan, Error> {
        plan(self)
    }
}

fn plan(observed: Observed) -> Result<BackupPlan, Error> {
    let Observed {
        database,
        files,
        config,
        ..
    } = &observed;
    if database.is_none() && files.is_none() && config.is_empty() {
        return Err(Error::Nothing);
    }
    let needed_bytes = needed_bytes(&observed);
    let (root, last) = observed.files.map(|it| (it.root, it.last)).unzip();
    Ok(BackupPlan {
        database: observed
            .database
            .map(|it| format!("{} on {}", it.name, it.server)),
        files: root,
        config: observed.config,
        prove: observed.prove,
        parent: last.flatten().map(|last| last.set),
        space: Space {
            path: observed.store.clone(),
            needed_bytes,
            free_bytes: observed.free_bytes,
        },
        store: observed.store,
        expected_seconds: median(observed.durations),
    })
}

/// Refuses a plan that does not fit in the store.
///
/// # Errors
/// [`Error::Space`].
pub(crate) fn check_space(plan: &BackupPlan) -> Result<(), Error> {
    match plan.space.free_bytes {
        Some(free) if free < plan.space.needed_bytes => Err(Error::Space {
            needed: th_cli::human_bytes(plan.space.needed_bytes),
            free: th_cli::human_bytes(free),
        }),
        _ => Ok(()),
    }
}

/// Estimates what will be written: the last dump and a third more, and the files that came since.
fn needed_bytes(observed: &Observed) -> u64 {
    let dump = observed
        .database
        .as_ref()
        .map(|database| match database.last {
            Some(last) => last.stored_bytes / 3 * 4,
            None => database.size_bytes / FIRST_RATIO,
        });
    let files = observed.files.as_ref().map(|files| {
        let known = files.last.as_ref().map_or(0, |last| last.total_bytes);
        files.total_bytes.saturating_sub(known)
    });
    dump.unwrap_or(0) + files.unwrap_or(0)
}

fn median(mut durations: Vec<f64>) -> Option<f64> {
    durations.sort_by(f64::total_cmp);
    durations.get(durations.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed() -> Observed {
        Observed {
            store: "/s".into(),
            database: Some(ObservedDatabase {
                name: "app".into(),
                server: "postgres://db".into(),
                size_bytes: 4000,
                last: None,
            }),
            files: Some(ObservedFiles {
                root: "/f".into(),
                total_bytes: 500,
                last: None,
            }),
            config: Vec::new(),
            prove: Some(Level::Decode),
            free_bytes: Some(1500),
            durations: vec![9.0, 1.0, 5.0],
        }
    }

    #[test]
    fn a_first_backup_is_estimated_by_sizes() {
        let plan = plan(observed()).unwrap();
        assert_eq!(plan.space.needed_bytes, 1500);
        assert_eq!(plan.expected_seconds, Some(5.0));
        assert_eq!(plan.database.as_deref(), Some("app on postgres://db"));
        check_space(&plan).unwrap();
    }

    #[test]
    fn a_later_backup_is_estimated_by_what_came_since_the_last_of_each() {
        let mut later = observed();
        let (database, files) = (later.database.as_mut(), later.files.as_mut());
        database.unwrap().last = Some(LastDump {
            dump_bytes: 3000,
            stored_bytes: 300,
        });
        let set: Id = "20261123T020000Z-7f3a".parse().unwrap();
        files.unwrap().last = Some(LastFiles {
            set: set.clone(),
            total_bytes: 450,
        });
        assert_eq!(
            (later.dump_bytes(), later.files_bytes()),
            (Some(3000), Some(500))
        );
        let plan = plan(later).unwrap();
        assert_eq!(plan.space.needed_bytes, 400 + 50);
        assert_eq!(plan.parent, Some(set));
    }

    #[test]
    fn too_little_space_is_refused_and_unknown_space_is_not() {
        let tight = Observed {
            free_bytes: Some(1499),
            ..observed()
        };
        assert!(matches!(
            check_space(&plan(tight).unwrap()),
            Err(Error::Space { .. })
        ));
        let unknown = Observed {
            free_bytes: None,
            ..observed()
        };
        check_space(&plan(unknown).unwrap()).unwrap();
    }

    #[test]
    fn nothing_to_back_up_is_an_error() {
        let nothing = Observed {
            database: None,
            files: None,
            ..observed()
        };
        assert!(matches!(plan(nothing), Err(Error::Nothing)));
    }
}
