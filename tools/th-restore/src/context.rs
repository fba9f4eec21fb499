//! What every command needs: the environment, its store, its server, its lock.

use std::cell::OnceCell;

use th_archive::Exclude;
use th_cli::Run;
use th_config::Environment;
use th_postgres::Server;
use th_record::{Failure, Manifest};
use th_state::{Lock, State};
use th_store::Store;

use crate::args::SetArgs;
use crate::{Error, beside, choice, pending};

/// An environment, opened.
pub(crate) struct Context {
    pub(crate) env: Environment,
    pub(crate) state: State,
    store: OnceCell<Store>,
}

impl Context {
    /// Opens what is needed at once: with flags alone the state is in the store.
    pub(crate) fn open(env: Environment) -> Result<Self, Error> {
        let context = Self {
            state: State::at(&env.state),
            store: OnceCell::new(),
            env,
        };
        if context.env.name.is_none() {
            context.store()?;
        }
        Ok(context)
    }

    /// Returns the store, which is opened by whoever needs it first.
    pub(crate) fn store(&self) -> Result<&Store, Error> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = Store::open(&self.env.backup.store)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Returns the manifest of the set that is meant.
    pub(crate) fn manifest(&self, set: &SetArgs, run: &mut Run) -> Result<Manifest, Error> {
        let store = self.store()?;
        let mut sets = store.sets()?;
        let selector = set.selector(run.upstream.as_ref());
        if selector.is_relative() {
            choice::narrow(self, run, &mut sets)?;
        }
        Ok(store.load(&selector.pick(&sets)?.id)?)
    }

    /// Returns the name of the database that is given; the server is asked only if nothing else
    /// says it.
    pub(crate) fn database(&self, run: &Run) -> Result<Option<String>, Error> {
        match &self.env.database {
            Some(given) if given.name.is_some() => Ok(given.name.clone()),
            _ => Ok(self.server(run)?.map(|server| server.database().to_owned())),
        }
    }

    /// Returns what a restore of the set leaves alone: what is excluded now, and was then.
    pub(crate) fn exclude(&self, manifest: &Manifest) -> Result<Exclude, Error> {
        let mut patterns = self.env.files.exclude.clone();
        if let Some(files) = &manifest.files {
            patterns.extend_from_slice(&files.excluded);
        }
        Ok(Exclude::new(&patterns)?)
    }

    /// Connects to the server; `None` when no database is given. The database itself need not be
    /// there.
    pub(crate) fn server(&self, run: &Run) -> Result<Option<Server>, Error> {
        let Some(target) = &self.env.database else {
            return Ok(None);
        };
        Ok(Some(Server::connect_to_cluster(
            target,
            "th-restore",
            run.cancel(),
        )?))
    }

    /// Takes the lock, and finishes or discards what a run that died left behind. A plan does
    /// neither.
    pub(crate) fn lock(
        &self,
        run: &mut Run,
        server: Option<&Server>,
    ) -> Result<Option<Lock>, Error> {
        if run.output.plan {
            return Ok(None);
        }
        let lock = self.state.lock(run.tool, &run.id)?;
        pending::recover(self, run, server)?;
        beside::recover(self, run, server)?;
        // An undo and a gc need no store, and it may be gone.
        if let Ok(store) = self.store() {
            match store.sweep() {
                Ok(swept) => {
                    for swept in swept {
                        run.swept(swept.path.display());
                    }
                }
                // One that may only be read is restored from all the same.
                Err(error) => run.warn(format!(
                    "the store is not swept: {}",
                    Failure::of(&error).message
                )),
            }
        }
        if let Some(server) = server {
            for name in th_proof::sweep(server)? {
                run.swept(name);
            }
        }
        Ok(Some(lock))
    }
}
