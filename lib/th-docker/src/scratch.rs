//! Throw-away containers: without a network, gone with their owner.

use std::collections::HashMap;
use std::fmt;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions,
};
use futures_util::TryStreamExt;

use crate::owner::Owner;
use crate::{Docker, Error, Labels};

/// The label of every scratch container; its value is the run that made it.
pub const SCRATCH: &str = "th.scratch";
/// The label that names the process that made it.
const OWNER: &str = "th.owner";

/// PostgreSQL's parallel queries and index builds need more than the engine's 64 MiB. A limit:
/// what is not used costs nothing.
const SHARED_MEMORY: i64 = 1 << 30;

/// What to start.
#[derive(Clone, Default)]
pub struct ScratchSpec {
    /// The image, by id or digest or name; never pulled.
    pub image_id: String,
    /// The container's name is this and the run.
    pub name_prefix: String,
    /// The run that needs it.
    pub run: String,
    /// Variables on top of the image's; may hold secrets.
    pub env: Vec<(String, String)>,
    /// The command, if not the image's.
    pub cmd: Vec<String>,
    /// Further labels.
    pub labels: Labels,
}

impl fmt::Debug for ScratchSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("ScratchSpec")
            .field("image_id", &self.image_id)
            .field("name_prefix", &self.name_prefix)
            .field("run", &self.run)
            .field("env", &names)
            .field("cmd", &self.cmd)
            .field("labels", &self.labels)
            .finish()
    }
}

/// A throw-away container. Dropping it removes it and its anonymous volumes.
#[derive(Debug)]
pub struct Scratch {
    docker: Docker,
    id: String,
    name: String,
}

impl Docker {
    /// Starts a throw-away container: no network, no ports, no mounts of the host.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the image is not on this host, [`Error::Refused`].
    pub fn scratch(&self, spec: &ScratchSpec) -> Result<Scratch, Error> {
        let owner = Owner::this().map_err(Error::Owner)?;
        let mut labels: HashMap<String, String> = spec.labels.clone().into_iter().collect();
        labels.insert(SCRATCH.to_owned(), spec.run.clone());
        labels.insert(OWNER.to_owned(), owner.to_string());
        let name = format!("{}-{}", spec.name_prefix, spec.run);
        let body = ContainerCreateBody {
            image: Some(spec.image_id.clone()),
            env: Some(
                spec.env
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
            ),
            cmd: (!spec.cmd.is_empty()).then(|| spec.cmd.clone()),
            labels: Some(labels),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                shm_size: Some(SHARED_MEMORY),
                // Not auto_remove: the logs of one that died early are wanted.
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let call = self.client().create_container(Some(options), body);
        let id = self.wait_for(&spec.image_id, call)?.id;
        // Made before the start, so that one that cannot start is removed too.
        let scratch = Scratch {
            docker: self.clone(),
            id,
            name,
        };
        let call = self
            .client()
            .start_container(&scratch.id, None::<StartContainerOptions>);
        self.wait_for(&scratch.name, call)?;
        Ok(scratch)
    }

    /// Removes the scratch containers whose owner is dead. Returns their names.
    ///
    /// # Errors
    /// The first removal that failed, other than that of one already gone.
    pub fn sweep(&self) -> Result<Vec<String>, Error> {
        let mut swept = Vec::new();
        for container in self.labelled(&[SCRATCH.to_owned(), OWNER.to_owned()])? {
            if container
                .labels
                .get(OWNER)
                .is_some_and(|owner| Owner::is_dead(owner))
            {
                self.remove(&container.id)?;
                swept.push(container.name);
            }
        }
        Ok(swept)
    }

    fn remove(&self, id: &str) -> Result<(), Error> {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        match self.wait_for(id, self.client().remove_container(id, Some(options))) {
            // Gone, or being removed by another.
            Err(Error::NotFound(_) | Error::Refused { status: 409, .. }) => Ok(()),
            result => result,
        }
    }
}

impl Scratch {
    /// Returns the container's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the container's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the last `lines` lines of the container's output, for saying why it died.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was removed.
    pub fn logs(&self, lines: usize) -> Result<String, Error> {
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .tail(&lines.to_string())
            .build();
        let logs = self.docker.client().logs(&self.id, Some(options));
        let pieces: Vec<LogOutput> = self.docker.wait_for(&self.name, logs.try_collect())?;
        let bytes: Vec<u8> = pieces.into_iter().flat_map(LogOutput::into_bytes).collect();
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is swept by a later run.
        let _ = self.docker.remove(&self.id);
    }
}
