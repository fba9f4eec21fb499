//! Stopping a container.

use bollard::query_parameters::StopContainerOptions;

use crate::{Docker, Error, TIMEOUT};

impl Docker {
    /// Stops the container of that id, within the time that it was given for it. One that does not run,
    /// or is gone, is left alone.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn stop(&self, id: &str) -> Result<(), Error> {
        let limit = match self.settings(id) {
            Ok(settings) => settings.stop_timeout + TIMEOUT,
            Err(Error::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let client = self.client().clone().with_timeout(limit);
        let call = client.stop_container(id, None::<StopContainerOptions>);
        match self.wait_within(limit, id, call) {
            Err(Error::NotFound(_)) => Ok(()),
            result => result,
        }
    }
}
