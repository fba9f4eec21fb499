//! Images: found by their labels, told from their layers, removed.

use std::time::Duration;

use bollard::models::ImageSummary;
use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptions};
use chrono::{DateTime, Utc};

use crate::{Docker, Error, Labels};

/// How long the engine may take to remove the layers of one image.
const REMOVAL: Duration = Duration::from_secs(300);

/// What stands in place of a name for an image without one.
const NAMELESS: &str = "<none>";

/// What the engine knows of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its id, `sha256:…`.
    pub id: String,
    /// The image it was built on, on this host; pulled images have none.
    pub parent: Option<String>,
    /// Its names, `repository:tag`, in order.
    pub names: Vec<String>,
    /// When it was built.
    pub created_at: DateTime<Utc>,
    /// The size of its layers, those it shares with others too.
    pub size_bytes: u64,
    /// Its labels, those of the images it was built on too.
    pub labels: Labels,
}

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

    /// Returns every image of this host, also those that only are steps on the way to others.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn images(&self) -> Result<Vec<Image>, Error> {
        let options = ListImagesOptionsBuilder::new().all(true).build();
        let found = self.wait_for("images", self.client().list_images(Some(options)))?;
        Ok(found.into_iter().map(of).collect())
    }

    /// Returns the id of the image that is called `name` now; `None` when none is.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn image_id(&self, name: &str) -> Result<Option<String>, Error> {
        match self.wait_for(name, self.client().inspect_image(name)) {
            Ok(image) => Ok(image.id),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the name `image` away, or removes the image of the id `image` with its last name. With
    /// an image go the nameless ones it was built on, if nothing else is built on them. One that is
    /// gone already is no error.
    ///
    /// # Errors
    /// [`Error::Refused`] with status 409 when a container or another image needs it, or when it
    /// is given by its id and has more than one name.
    pub fn remove_image(&self, image: &str) -> Result<(), Error> {
        let client = self.client().clone().with_timeout(REMOVAL);
        let call = client.remove_image(image, None::<RemoveImageOptions>, None);
        match self.wait_within(REMOVAL, image, call) {
            Ok(_) | Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn of(summary: ImageSummary) -> Image {
    let mut names = summary.repo_tags;
    names.retain(|name| !name.starts_with(NAMELESS));
    names.sort();
    Image {
        id: summary.id,
        parent: Some(summary.parent_id).filter(|id| !id.is_empty()),
        names,
        created_at: DateTime::from_timestamp_secs(summary.created).unwrap_or_default(),
        size_bytes: summary.size.try_into().unwrap_or_default(),
        labels: summary.labels.into_iter().collect(),
    }
}
