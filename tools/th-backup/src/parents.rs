//! The sets before this one, which it builds upon.

use std::collections::HashSet;

use chrono::Utc;
use th_archive::Previous;
use th_cli::Run;
use th_config::Environment;
use th_postgres::Server;
use th_record::{DUMP, Level, Manifest};
use th_store::{Listed, SetRef, Store, is_ahead};

use crate::Error;
use crate::plan::{LastDump, LastFiles};

/// How many sets of a time to come are named.
const NAMED: usize = 5;

/// The sets before this one. A set may lack the database or the files, so each part has its own.
#[derive(Debug, Default)]
pub(crate) struct Parents {
    /// The newest set of all.
    pub(crate) newest: Option<th_record::Previous>,
    /// The newest set with this database.
    pub(crate) database: Option<Manifest>,
    /// The newest set with these files, and how far it is proven.
    pub(crate) files: Option<(Manifest, Option<Level>)>,
}

impl Parents {
    /// Finds them among `sets`, which are ordered newest first, and warns of those of a time to come:
    /// they would stay the newest until then.
    pub(crate) fn find(
        store: &Store,
        sets: &[Listed],
        env: &Environment,
        server: Option<&Server>,
        run: &mut Run,
    ) -> Result<Self, Error> {
        let sets = sets.iter().filter_map(Listed::set);
        let now = Utc::now();
        let (ahead, past): (Vec<_>, Vec<_>) = sets.partition(|set| is_ahead(set.started_at, now));
        if !ahead.is_empty() {
            run.warn(ahead_warning(&ahead));
        }
        let database = server.map(Server::database);
        let newest = |has: fn(&SetRef) -> bool| {
            let mut like = past
                .iter()
                .filter(|set| is_like(set, env.name.as_deref(), database));
            like.find(|set| has(set))
        };
        Ok(Self {
            newest: past.first().map(|set| th_record::Previous {
                id: set.id.clone(),
                manifest_sha256: set.manifest_sha256.clone(),
            }),
            database: newest(|set| set.database.is_some())
                .map(|set| store.load(&set.id))
                .transpose()?,
            files: match newest(|set| set.files.is_some()) {
                Some(set) => Some((store.load(&set.id)?, set.level())),
                None => None,
            },
        })
    }

    /// Returns the packs of the set before that nothing can be taken from any more.
    pub(crate) fn lost_packs(&self, previous: Option<&Previous>) -> Vec<String> {
        let there = previous.map_or(&[][..], |previous| &previous.packs);
        let files = self.files.iter().filter_map(|(set, _)| set.files.as_ref());
        let packs = files.flat_map(|files| &files.packs);
        packs
            .filter(|pack| !there.contains(pack))
            .map(|pack| pack.name.clone())
            .collect()
    }

    /// Returns the packs of the set before that are known to hold: those of one whose bytes were
    /// proven.
    pub(crate) fn proven_packs(&self, previous: Option<&Previous>) -> HashSet<String> {
        let proven = matches!(&self.files, Some((_, Some(_))));
        let packs = previous.filter(|_| proven).map(|previous| &previous.packs);
        packs
            .into_iter()
            .flatten()
            .map(|it| it.name.clone())
            .collect()
    }

    pub(crate) fn last_dump(&self) -> Option<LastDump> {
        let set = self.database.as_ref()?;
        Some(LastDump {
            dump_bytes: set.database.as_ref()?.dump_bytes,
            stored_bytes: set.object(DUMP)?.bytes,
        })
    }

    pub(crate) fn last_files(&self) -> Option<LastFiles> {
        let (set, _) = self.files.as_ref()?;
        Some(LastFiles {
            set: set.id.clone(),
            total_bytes: set.files.as_ref()?.total_bytes,
        })
    }
}

/// Tells whether what the set holds is of this environment and of this database. Flags alone have no
/// environment, and files alone no database: such a set may be of any.
fn is_like(set: &SetRef, environment: Option<&str>, database: Option<&str>) -> bool {
    let agree = |theirs: Option<&str>, ours: Option<&str>| {
        theirs.zip(ours).is_none_or(|(theirs, ours)| theirs == ours)
    };
    agree(set.environment.as_deref(), environment) && agree(set.database.as_deref(), database)
}

fn ahead_warning(ahead: &[&SetRef]) -> String {
    let named = ahead.iter().take(NAMED).map(|set| format!("'{}'", set.id));
    let mut names = named.collect::<Vec<_>>().join(", ");
    if ahead.len() > NAMED {
        names += &format!(" and {} more", ahead.len() - NAMED);
    }
    format!("passed over sets of a time to come, some clock is or was wrong: {names}")
}

#[cfg(test)]
mod tests {
    use th_record::Status;

    use super::*;

    fn set(id: &str, environment: Option<&str>, database: Option<&str>) -> SetRef {
        let id: th_record::Id = id.parse().unwrap();
        SetRef {
            started_at: id.at(),
            id,
            manifest_sha256: String::new(),
            environment: environment.map(str::to_owned),
            status: Status::Complete,
            pinned: false,
            tags: Vec::new(),
            database: database.map(str::to_owned),
            rows: None,
            files: Some(1),
            stored_bytes: 0,
            proof: None,
            void: None,
        }
    }

    #[test]
    fn a_set_is_built_upon_one_of_its_own_environment_and_database() {
        let like = |environment, database| {
            is_like(
                &set("20261123T020000Z-7f3a", environment, database),
                Some("production"),
                Some("app"),
            )
        };
        assert!(like(Some("production"), Some("app")));
        assert!(like(Some("production"), None));
        assert!(like(None, Some("app")));
        assert!(!like(Some("production"), Some("other")));
        assert!(!like(Some("staging"), Some("app")));
    }

    #[test]
    fn a_set_may_be_minutes_ahead_and_no_more() {
        let now = "2026-11-23T02:00:00Z".parse().unwrap();
        let ahead = |id: &str| is_ahead(set(id, None, None).started_at, now);
        assert!(!ahead("20261123T020500Z-7f3a"));
        assert!(ahead("20261123T020501Z-7f3a"));
        let all: Vec<SetRef> = (0..7)
            .map(|n| set(&format!("20310101T00000{n}Z-0000"), None, None))
            .collect();
        let warning = ahead_warning(&all.iter().collect::<Vec<_>>());
        assert!(
            warning.contains("'20310101T000004Z-0000' and 2 more"),
            "{warning}"
        );
    }
}
