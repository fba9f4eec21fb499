//! The journal: every record of an environment, one a line, only ever appended to.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use th_record::Record;

use crate::Error;

/// Who ran the tool, as far as the process environment tells.
#[derive(Debug, Clone, Serialize)]
pub struct Actor {
    /// `$USER`, else the numeric user id.
    pub user: String,
    /// `$SUDO_USER`.
    pub sudo_user: Option<String>,
    /// The address in `$SSH_CLIENT`.
    pub ssh_client: Option<String>,
    /// The address of the CI job.
    pub ci_url: Option<String>,
}

impl Actor {
    /// Reads the actor from the process environment.
    pub fn current() -> Self {
        let var = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let user = var("USER").unwrap_or_else(|| rustix::process::getuid().as_raw().to_string());
        let ssh_client = var("SSH_CLIENT")
            .and_then(|client| client.split_whitespace().next().map(str::to_owned));
        let github = || {
            let (server, repo) = (var("GITHUB_SERVER_URL")?, var("GITHUB_REPOSITORY")?);
            Some(format!(
                "{server}/{repo}/actions/runs/{}",
                var("GITHUB_RUN_ID")?
            ))
        };
        let ci_url = github()
            .or_else(|| var("CI_JOB_URL"))
            .or_else(|| var("BUILD_URL"));
        Self {
            user,
            sudo_user: var("SUDO_USER"),
            ssh_client,
            ci_url,
        }
    }
}

/// The journal of one environment.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
}

#[derive(Serialize)]
struct Line<'a, T> {
    #[serde(flatten)]
    record: &'a Record<T>,
    actor: Actor,
}

impl Journal {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Appends `record` with the actor, in one write, and syncs it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn append<T: Serialize>(&self, record: &Record<T>) -> Result<(), Error> {
        let failed = |source| Error::Io {
            path: self.path.clone(),
            source,
        };
        let line = Line {
            record,
            actor: Actor::current(),
        };
        let mut line = serde_json::to_vec(&line).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .open(&self.path)
            .map_err(failed)?;
        file.write_all(&line)
            .and_then(|()| file.sync_data())
            .map_err(failed)
    }

    /// Returns the durations, in seconds, of the last `count` successful records of `kind`, oldest
    /// first. A journal that is missing or torn has none: it only serves to guess.
    pub fn durations(&self, kind: &str, count: usize) -> Vec<f64> {
        let Ok(file) = File::open(&self.path) else {
            return Vec::new();
        };
        let mut found = std::collections::VecDeque::new();
        for line in BufReader::new(file).lines().map_while(Result::ok) {
            let Ok(record) = serde_json::from_str::<Record<Value>>(&line) else {
                continue;
            };
            if record.kind == kind && record.ok && !record.dry_run {
                if found.len() == count {
                    found.pop_front();
                }
                found.push_back(record.duration_seconds);
            }
        }
        found.into()
    }
}
