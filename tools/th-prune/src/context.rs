//! What every command needs: the environment, its lock, its store.

use th_cli::Run;
use th_config::Environment;
use th_state::{Lock, State};
use th_store::{Pruner, Store};

use crate::{Args, Error};

/// An environment.
pub(crate) struct Context {
    pub(crate) env: Environment,
    pub(crate) state: State,
}

impl Context {
    /// Resolves the environment, and checks that the tools before this one allow to act on it.
    pub(crate) fn resolve(args: &Args, run: &mut Run) -> Result<Self, Error> {
        let env = args.target.resolve()?;
        let state = State::at(&env.state);
        run.acts_on(env.name.as_deref(), &state)?;
        Ok(Self { env, state })
    }

    /// Opens the store.
    pub(crate) fn store(&self) -> Result<Store, Error> {
        Ok(Store::open(&self.env.backup.store)?)
    }

    /// Takes the lock. A plan takes none.
    pub(crate) fn lock(&self, run: &Run) -> Result<Option<Lock>, Error> {
        if run.output.plan {
            return Ok(None);
        }
        Ok(Some(self.state.lock(run.tool, &run.id)?))
    }

    /// Claims the store, which another environment may be backed up to. A plan claims none.
    pub(crate) fn pruner(&self, store: &Store, run: &Run) -> Result<Option<Pruner>, Error> {
        if run.output.plan {
            return Ok(None);
        }
        let claimed = run.patiently("waiting for the store", || store.prune());
        Ok(Some(claimed?))
    }
}
