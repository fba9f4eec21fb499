//! The build cache, rid of what no build has used for a while.

use std::collections::HashMap;
use std::time::Duration;

use bollard::query_parameters::PruneBuildOptionsBuilder;

use crate::{Docker, Error};

/// How long the engine may take.
const LIMIT: Duration = Duration::from_secs(300);

impl Docker {
    /// Removes the record `id` of the build cache. Returns what that gave back, in bytes; `None`
    /// when it stays, because it was used within `unused_for`, a build or another record needs it,
    /// or an image holds its bytes too.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn prune_build(&self, id: &str, unused_for: Duration) -> Result<Option<u64>, Error> {
        let until = format!("{}s", unused_for.as_secs());
        let filters = HashMap::from([("id", vec![id.to_owned()]), ("until", vec![until])]);
        let options = PruneBuildOptionsBuilder::new().filters(&filters).build();
        let client = self.client().clone().with_timeout(LIMIT);
        let pruned = self.wait_within(LIMIT, id, client.prune_build(Some(options)))?;
        let is_gone = pruned.caches_deleted.is_some_and(|ids| !ids.is_empty());
        let freed = pruned.space_reclaimed.unwrap_or_default();
        Ok(is_gone.then_some(freed.try_into().unwrap_or_default()))
    }
}
