//! Images: what a registry calls the bytes that run.

use crate::{Docker, Error};

impl Docker {
    /// Returns the first digest under which a registry knows the image, `name@sha256:…`; an image
    /// built here has none.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn image_digest(&self, image_id: &str) -> Result<Option<String>, Error> {
        let image = self.wait_for(image_id, self.client().inspect_image(image_id))?;
        Ok(image.repo_digests.unwrap_or_default().into_iter().next())
    }
}
