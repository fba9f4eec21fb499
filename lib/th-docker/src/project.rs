//! The containers of a compose project, with what tells a healthy one from a dying one.

use std::collections::HashMap;

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptionsBuilder, StatsOptionsBuilder,
};
use futures_util::TryStreamExt;

use crate::container::{self, ONEOFF, PROJECT, SERVICE};
use crate::{Container, Docker, Error, cgroup};

/// A container of a compose project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The container.
    pub container: Container,
    /// Its service.
    pub service: String,
    /// Its first process, as the host counts; `None` when it does not run.
    pub pid: Option<u32>,
    /// How often the engine has started it again.
    pub restarts: u64,
    /// Whether the kernel ended it for want of memory.
    pub oom_killed: bool,
    /// The status it last exited with.
    pub exit_code: i64,
}

impl Docker {
    /// Returns the containers of a compose project, running or not, ordered by service.
    ///
    /// # Errors
    /// Only when the engine gives no answer.
    pub fn project(&self, project: &str) -> Result<Vec<Member>, Error> {
        let filters = HashMap::from([("label", vec![format!("{PROJECT}={project}")])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let found = self.wait_for(project, self.client().list_containers(Some(options)))?;
        let mut members = Vec::new();
        for id in found.into_iter().filter_map(|summary| summary.id) {
            let call = self
                .client()
                .inspect_container(&id, None::<InspectContainerOptions>);
            match self.wait_for(&id, call) {
                Ok(inspected) => members.extend(member(inspected)),
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        members
            .sort_by(|a, b| (&a.service, &a.container.name).cmp(&(&b.service, &b.container.name)));
        Ok(members)
    }

    /// Returns the memory that a running container uses; `None` when the engine does not tell.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn memory_bytes(&self, member: &Member) -> Result<Option<u64>, Error> {
        let id = &member.container.id;
        if let Some(bytes) = member.pid.and_then(|pid| cgroup::memory(id, pid)) {
            return Ok(Some(bytes));
        }
        let options = StatsOptionsBuilder::new()
            .stream(false)
            .one_shot(true)
            .build();
        let mut stats = self.client().stats(id, Some(options));
        let first = self.wait_for(id, stats.try_next())?;
        let memory = first.and_then(|stats| stats.memory_stats);
        Ok(memory.and_then(|memory| {
            // The page cache is given back when someone needs it.
            let cache = memory
                .stats
                .as_ref()
                .and_then(|stats| stats.get("inactive_file").copied());
            Some(memory.usage?.saturating_sub(cache.unwrap_or(0)))
        }))
    }
}

/// Returns nothing for the container of a `compose run`, which is not the service.
fn member(inspected: ContainerInspectResponse) -> Option<Member> {
    let state = inspected.state.clone().unwrap_or_default();
    let restarts = inspected.restart_count.unwrap_or_default();
    let container = container::of(inspected);
    let oneoff = container
        .labels
        .get(ONEOFF)
        .is_some_and(|value| value == "True");
    let service = container.labels.get(SERVICE).filter(|_| !oneoff)?.clone();
    Some(Member {
        service,
        pid: state
            .pid
            .filter(|_| container.running)
            .and_then(|pid| pid.try_into().ok()),
        restarts: restarts.try_into().unwrap_or_default(),
        oom_killed: state.oom_killed.unwrap_or_default(),
        exit_code: state.exit_code.unwrap_or_default(),
        container,
    })
}
