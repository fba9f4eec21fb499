//! The journal: every record of an environment, one a line, only ever appended to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
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

    /// Appends `record` with the actor, in one write, and syncs it. A line that a dead writer has
    /// left without an end is ended first.
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
            .read(true)
            .append(true)
            .create(true)
            .mode(0o640)
            .open(&self.path)
            .map_err(failed)?;
        if is_torn(&mut file).map_err(failed)? {
            line.insert(0, b'\n');
        }
        file.write_all(&line)
            .and_then(|()| file.sync_data())
            .map_err(failed)
    }

    /// Returns when a record was last appended; `None` when none ever was, or that cannot be told.
    pub fn modified_at(&self) -> Option<DateTime<Utc>> {
        Some(self.path.metadata().ok()?.modified().ok()?.into())
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

/// Tells whether the last line of `file` has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono::TimeDelta;

    use super::*;

    fn record() -> Record<()> {
        Record {
            v: th_record::VERSION,
            kind: "backup".into(),
            tool: "th-backup".into(),
            version: "0".into(),
            run: "run".into(),
            environment: None,
            started_at: Utc::now(),
            duration_seconds: 1.5,
            ok: true,
            changed: true,
            dry_run: false,
            warnings: Vec::new(),
            data: None,
            error: None,
        }
    }

    #[test]
    fn a_torn_line_takes_no_other_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path().join("journal.jsonl"));
        assert_eq!(journal.modified_at(), None);
        journal.append(&record()).unwrap();
        let whole = fs::read(&journal.path).unwrap();
        fs::write(&journal.path, [&whole[..], b"{\"v\":1,\"ki"].concat()).unwrap();
        journal.append(&record()).unwrap();
        journal.append(&record()).unwrap();
        assert_eq!(journal.durations("backup", 9), [1.5; 3]);
        let text = fs::read_to_string(&journal.path).unwrap();
        assert_eq!(text.lines().count(), 4, "{text}");
        let age = Utc::now() - journal.modified_at().unwrap();
        assert!(age < TimeDelta::minutes(1), "{age}");
    }
}
