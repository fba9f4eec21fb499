//! Containers: found by name or as a service of a compose project.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder};

use crate::{Docker, Error};

/// The labels of a container.
pub type Labels = BTreeMap<String, String>;

pub(crate) const PROJECT: &str = "com.docker.compose.project";
pub(crate) const SERVICE: &str = "com.docker.compose.service";
/// `True` on the containers of `compose run`, which are not the service.
pub(crate) const ONEOFF: &str = "com.docker.compose.oneoff";

/// What the engine knows of a container.
#[derive(Clone, PartialEq, Eq)]
pub struct Container {
    /// Its full id.
    pub id: String,
    /// Its name, without the engine's leading slash.
    pub name: String,
    /// The image as it was asked for, such as `postgres:17`.
    pub image_name: String,
    /// The image as it was found, `sha256:…`.
    pub image_id: String,
    /// `NAME=value`; holds secrets.
    pub env: Vec<String>,
    /// The command after the image's entry point.
    pub cmd: Vec<String>,
    /// Its labels.
    pub labels: Labels,
    /// Whether it runs.
    pub running: bool,
}

impl Container {
    /// Returns the value of the environment variable `name`.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .env
            .iter()
            .map(|pair| pair.split('=').next().unwrap_or_default())
            .collect();
        f.debug_struct("Container")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("image_name", &self.image_name)
            .field("image_id", &self.image_id)
            .field("env", &names)
            .field("cmd", &self.cmd)
            .field("labels", &self.labels)
            .field("running", &self.running)
            .finish()
    }
}

impl Docker {
    /// Returns the container of that name or id, running or not.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn container(&self, name: &str) -> Result<Container, Error> {
        let call = self
            .client()
            .inspect_container(name, None::<InspectContainerOptions>);
        Ok(of(self.wait_for(name, call)?))
    }

    /// Returns the container of that name or id, which must be running.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotRunning`].
    pub fn running_container(&self, name: &str) -> Result<Container, Error> {
        let container = self.container(name)?;
        if container.running {
            Ok(container)
        } else {
            Err(Error::NotRunning(container.name))
        }
    }

    /// Returns the one running container of a compose service.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotRunning`], or [`Error::Ambiguous`] when it is scaled.
    pub fn compose_container(&self, project: &str, service: &str) -> Result<Container, Error> {
        let wanted = format!("compose service {project}/{service}");
        let labels = [
            format!("{PROJECT}={project}"),
            format!("{SERVICE}={service}"),
        ];
        let found: Vec<Container> = self
            .labelled(&labels)?
            .into_iter()
            .filter(|container| {
                container
                    .labels
                    .get(ONEOFF)
                    .is_none_or(|value| value != "True")
            })
            .collect();
        let stopped = found.first().map(|container| container.name.clone());
        let mut running: Vec<Container> = found
            .into_iter()
            .filter(|container| container.running)
            .collect();
        match (running.pop(), stopped) {
            (Some(one), _) if running.is_empty() => Ok(one),
            (Some(one), _) => {
                let mut names: Vec<String> = running.into_iter().map(|one| one.name).collect();
                names.push(one.name);
                names.sort();
                Err(Error::Ambiguous { wanted, names })
            }
            (None, Some(name)) => Err(Error::NotRunning(name)),
            (None, None) => Err(Error::NotFound(wanted)),
        }
    }

    /// Tells whether the container runs; one that is gone does not.
    ///
    /// # Errors
    /// Only when the engine gives no answer.
    pub fn is_running(&self, id: &str) -> Result<bool, Error> {
        match self.container(id) {
            Ok(container) => Ok(container.running),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns every container of this host, running or not.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn containers(&self) -> Result<Vec<Container>, Error> {
        self.labelled(&[])
    }

    /// Returns the containers, running or not, that carry all of `labels` (`name` or `name=value`).
    pub(crate) fn labelled(&self, labels: &[String]) -> Result<Vec<Container>, Error> {
        let filters = HashMap::from([("label", labels.to_vec())]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let found = self.wait_for("containers", self.client().list_containers(Some(options)))?;
        let ids = found.into_iter().filter_map(|summary| summary.id);
        // One may be gone between the list and the look at it.
        ids.map(|id| self.container(&id))
            .filter(|result| !matches!(result, Err(Error::NotFound(_))))
            .collect()
    }
}

pub(crate) fn of(inspected: ContainerInspectResponse) -> Container {
    let config = inspected.config.unwrap_or_default();
    Container {
        id: inspected.id.unwrap_or_default(),
        name: inspected
            .name
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        image_name: config.image.unwrap_or_default(),
        image_id: inspected.image.unwrap_or_default(),
        env: config.env.unwrap_or_default(),
        cmd: config.cmd.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        running: inspected
            .state
            .and_then(|state| state.running)
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::{ContainerConfig, ContainerInspectResponse};

    use super::of;

    #[test]
    fn debug_shows_names_of_variables_only() {
        let env = Some(vec![
            "POSTGRES_PASSWORD=hunter2=x".to_owned(),
            "EMPTY=".to_owned(),
        ]);
        let config = Some(ContainerConfig {
            env,
            ..Default::default()
        });
        let container = of(ContainerInspectResponse {
            config,
            ..Default::default()
        });
        let text = format!("{container:?}");
        assert!(
            text.contains("POSTGRES_PASSWORD") && !text.contains("hunter2"),
            "{text}"
        );
        assert_eq!(container.variable("POSTGRES_PASSWORD"), Some("hunter2=x"));
        assert_eq!(container.variable("EMPTY"), Some(""));
        assert_eq!(container.variable("POSTGRES"), None);
    }
}
