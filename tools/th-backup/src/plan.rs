//! What a backup will do, from what was observed. Nothing here touches anything.

use th_record::kind::{BackupPlan, Space};
use th_record::{DUMP, Level, Manifest};

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
    pub(crate) parent: Option<Manifest>,
    pub(crate) free_bytes: Option<u64>,
    pub(crate) durations: Vec<f64>,
}

#[derive(Debug)]
pub(crate) struct ObservedDatabase {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) size_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct ObservedFiles {
    pub(crate) root: String,
    pub(crate) total_bytes: u64,
}

impl Observed {
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
    Ok(BackupPlan {
        database: observed
            .database
            .map(|it| format!("{} on {}", it.name, it.server)),
        files: observed.files.map(|it| it.root),
        config: observed.config,
        prove: observed.prove,
        parent: observed.parent.map(|parent| parent.id),
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
    let parent = observed.parent.as_ref();
    let dump = observed.database.as_ref().map(|database| {
        match parent.and_then(|parent| parent.object(DUMP)) {
            Some(last) => last.bytes / 3 * 4,
            None => database.size_bytes / FIRST_RATIO,
        }
    });
    let files = observed.files.as_ref().map(|files| {
        let known = parent
            .and_then(|parent| parent.files.as_ref())
            .map_or(0, |it| it.total_bytes);
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
            }),
            files: Some(ObservedFiles {
                root: "/f".into(),
                total_bytes: 500,
            }),
            config: Vec::new(),
            prove: Some(Level::Decode),
            parent: None,
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
