//! Looking at all that a backup depends on.

use std::collections::HashSet;
use std::path::PathBuf;

use th_archive::{Exclude, Previous};
use th_cli::Run;
use th_config::Environment;
use th_postgres::Server;
use th_record::{DUMP, Level, Manifest};
use th_state::State;
use th_state::restores::{Pending, Phase};
use th_store::{Listed, SetRef, Store, free_bytes};

use crate::plan::{LastDump, LastFiles, Observed, ObservedDatabase, ObservedFiles};
use crate::{Args, Error};

/// How many past backups the expected duration is taken from.
const PAST: usize = 10;

/// The sets before this one. A set may lack the database or the files, so each part has its own.
#[derive(Debug, Default)]
pub(crate) struct Parents {
    /// The newest set with a database.
    pub(crate) database: Option<Manifest>,
    /// The newest set with files, and how far it is proven.
    pub(crate) files: Option<(Manifest, Option<Level>)>,
}

impl Parents {
    pub(crate) fn load(store: &Store, sets: &[Listed]) -> Result<Self, Error> {
        let newest = |has: fn(&SetRef) -> bool| {
            let mut sets = sets.iter().filter_map(Listed::set);
            sets.find(|set| has(set))
        };
        let database = newest(|set| set.database.is_some());
        let files = newest(|set| set.files.is_some());
        Ok(Self {
            database: database.map(|set| store.load(&set.id)).transpose()?,
            files: match files {
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

    fn last_dump(&self) -> Option<LastDump> {
        let set = self.database.as_ref()?;
        Some(LastDump {
            dump_bytes: set.database.as_ref()?.dump_bytes,
            stored_bytes: set.object(DUMP)?.bytes,
        })
    }

    fn last_files(&self) -> Option<LastFiles> {
        let (set, _) = self.files.as_ref()?;
        Some(LastFiles {
            set: set.id.clone(),
            total_bytes: set.files.as_ref()?.total_bytes,
        })
    }
}

/// Looks at all that a backup depends on, and changes nothing.
pub(crate) fn observe(args: &Args, env: &Environment, run: &Run) -> Result<Observed, Error> {
    let server = connect(env, run)?;
    // Before the first backup there is no store, which is no reason not to plan.
    let parents = match Store::open(&env.backup.store) {
        Err(th_store::Error::Missing(_)) => Parents::default(),
        store => {
            let store = store?;
            Parents::load(&store, &store.sets()?)?
        }
    };
    look(args, env, server.as_ref(), &parents)
}

pub(crate) fn connect(env: &Environment, run: &Run) -> Result<Option<Server>, Error> {
    let Some(target) = &env.database else {
        return Ok(None);
    };
    let server = Server::connect(target, "th-backup", run.cancel())?;
    server.check_client("pg_dump")?;
    Ok(Some(server))
}

pub(crate) fn look(
    args: &Args,
    env: &Environment,
    server: Option<&Server>,
    parents: &Parents,
) -> Result<Observed, Error> {
    check_pending(env)?;
    if let (Some(server), Some(level)) = (server, args.prove.0)
        && level > Level::Bytes
    {
        if level > Level::Decode {
            server.check_restorer()?;
        } else {
            server.check_client("pg_restore")?;
        }
    }
    let database = match server {
        Some(server) => Some(ObservedDatabase {
            name: server.database().to_owned(),
            server: server.to_string(),
            size_bytes: server.facts(server.database())?.size_bytes,
            last: parents.last_dump(),
        }),
        None => None,
    };
    let files = match &env.files.uploads {
        Some(root) => {
            let exclude = Exclude::new(&env.files.exclude)?;
            let last = parents.last_files();
            let total_bytes = match &last {
                // The walk that follows tells; a plan has no other.
                Some(last) if !args.output.plan => last.total_bytes,
                _ => th_archive::total_bytes(root, &exclude)?,
            };
            Some(ObservedFiles {
                root: root.to_string_lossy().into_owned(),
                total_bytes,
                last,
            })
        }
        None => None,
    };
    let config = &env.files.config;
    Ok(Observed {
        store: env.backup.store.to_string_lossy().into_owned(),
        database,
        files,
        config: config
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect(),
        prove: args.prove.0,
        free_bytes: free_bytes(&env.backup.store),
        durations: State::at(&env.state).journal().durations("backup", PAST),
    })
}

/// Refuses files that a restore which died has moved only some of. A database is renamed as a whole.
fn check_pending(env: &Environment) -> Result<(), Error> {
    let files = &env.files;
    let config = (!files.config.is_empty()).then_some(&files.root);
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let mut roots = files.uploads.iter().chain(config).map(real);
    match Pending::read(&State::at(&env.state))? {
        Some(Pending {
            restore,
            phase: Phase::Switching,
            ..
        }) if roots.any(|root| restore.roots.iter().map(real).any(|moved| moved == root)) => {
            Err(Error::HalfRestored(restore.set))
        }
        _ => Ok(()),
    }
}
