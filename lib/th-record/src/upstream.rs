//! Reading the records of the tools before this one in a pipe, and the gate on them.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{ErrorKind, Fail, Record, VERSION};

/// Why the upstream does not let this tool act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing came before the end of the input.
    #[error("the input holds no record")]
    Empty,
    /// A line is not a JSON object, or the input cannot be read.
    #[error("line {line} of the input is not a record")]
    Unreadable {
        /// Counted from 1.
        line: usize,
        /// What the parser or the reader said.
        source: io::Error,
    },
    /// A record of a version this tool does not know.
    #[error("line {line} of the input is a record of version {version}; this tool knows {VERSION}")]
    Version {
        /// Counted from 1.
        line: usize,
        /// The version found.
        version: u64,
    },
    /// A tool before this one failed.
    #[error("{tool} failed before this: {message}")]
    Failed {
        /// The tool that failed.
        tool: String,
        /// Its message.
        message: String,
    },
    /// A tool before this one only planned.
    #[error("{0} only planned: its record is a dry run")]
    DryRun(String),
    /// The records are of another environment.
    #[error("the input is of environment '{found}', not '{wanted}'")]
    Environment {
        /// What the input names.
        found: String,
        /// What this tool acts on.
        wanted: String,
    },
    /// The last record is older than allowed.
    #[error("the last record of the input is {age} s old; {max} s are allowed")]
    Old {
        /// Seconds since the upstream ended.
        age: i64,
        /// Seconds allowed.
        max: i64,
    },
}

impl Fail for Refusal {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Upstream
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Old { .. } => "run the whole chain again, or raise --max-age".into(),
            _ => "nothing was changed; put right what came before and run the chain again".into(),
        })
    }
}

/// The records read from stdin.
#[derive(Debug, Default)]
pub struct Upstream {
    records: Vec<Record<Value>>,
}

impl Upstream {
    /// Reads `input` to its end and copies every line unchanged to `output`.
    ///
    /// Lines of items (objects without `tool`) are passed on but do not count as records.
    /// Everything that can be read is passed on even when this returns an error, so that the
    /// chain's output stays its whole history.
    ///
    /// # Errors
    /// [`Refusal::Unreadable`], [`Refusal::Version`], or [`Refusal::Empty`].
    pub fn read(mut input: impl BufRead, mut output: impl Write) -> Result<Self, Refusal> {
        let mut upstream = Self::default();
        let mut refusal = None;
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            match input.read_until(b'\n', &mut bytes) {
                Ok(0) => break,
                Ok(_) => {}
                Err(source) => return Err(Refusal::Unreadable { line, source }),
            }
            if bytes.last() != Some(&b'\n') {
                bytes.push(b'\n');
            }
            // A reader that went away does not change what this tool does.
            let _ = output.write_all(&bytes);
            match parse(line, &bytes) {
                Ok(record) => upstream.records.extend(record),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            Some(error) => Err(error),
            None if upstream.records.is_empty() => Err(Refusal::Empty),
            None => Ok(upstream),
        }
    }

    /// Checks that every record is a success of `environment` and that the last one ended no
    /// longer than `max_age` before `now`.
    ///
    /// # Errors
    /// The first reason not to act.
    pub fn gate(
        &self,
        environment: Option<&str>,
        max_age: Duration,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        for record in &self.records {
            if !record.ok {
                let message = record
                    .error
                    .as_ref()
                    .map_or("no reason given", |e| &e.message);
                return Err(Refusal::Failed {
                    tool: record.tool.clone(),
                    message: message.to_owned(),
                });
            }
            if record.dry_run {
                return Err(Refusal::DryRun(record.tool.clone()));
            }
            if let (Some(found), Some(wanted)) = (record.environment.as_deref(), environment)
                && found != wanted
            {
                return Err(Refusal::Environment {
                    found: found.into(),
                    wanted: wanted.into(),
                });
            }
        }
        let last = self.records.last().ok_or(Refusal::Empty)?;
        let age = (now - last.started_at).num_seconds() - last.duration_seconds as i64;
        let max = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        if age > max {
            Err(Refusal::Old { age, max })
        } else {
            Ok(())
        }
    }

    /// Returns the run id of the chain: that of the last record.
    pub fn run(&self) -> Option<&str> {
        self.records.last().map(|record| record.run.as_str())
    }

    /// Returns the last record of `kind`.
    pub fn last(&self, kind: &str) -> Option<&Record<Value>> {
        self.records.iter().rev().find(|record| record.kind == kind)
    }
}

fn parse(line: usize, bytes: &[u8]) -> Result<Option<Record<Value>>, Refusal> {
    let unreadable = |error: serde_json::Error| Refusal::Unreadable {
        line,
        source: error.into(),
    };
    let value: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
    match value.get("v").and_then(Value::as_u64) {
        Some(version) if version != u64::from(VERSION) => Err(Refusal::Version { line, version }),
        _ if value.is_object() && value.get("tool").is_none() => Ok(None),
        _ => serde_json::from_value(value).map(Some).map_err(unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"v":1,"kind":"backup","tool":"th-backup","version":"0.1.0","run":"r","environment":"production","started_at":"2026-11-23T02:00:00Z","duration_seconds":12.4,"ok":true,"changed":true,"dry_run":false,"warnings":[],"data":{"set":"x"},"error":null}"#;

    fn gate(input: &str) -> Result<(), Refusal> {
        let now = "2026-11-23T02:10:00Z".parse().unwrap();
        Upstream::read(input.as_bytes(), io::sink())?.gate(
            Some("production"),
            Duration::from_secs(3600),
            now,
        )
    }

    #[test]
    fn a_success_passes_and_is_copied_unchanged() {
        let mut copy = Vec::new();
        let input = format!("{{\"id\":\"item\"}}\n{GOOD}");
        let upstream = Upstream::read(input.as_bytes(), &mut copy).unwrap();
        assert_eq!(String::from_utf8(copy).unwrap(), format!("{input}\n"));
        assert_eq!(upstream.run(), Some("r"));
        assert_eq!(
            upstream.last("backup").unwrap().data.as_ref().unwrap()["set"],
            "x"
        );
        gate(&input).unwrap();
    }

    #[test]
    fn everything_else_is_refused() {
        let failed = GOOD.replace("\"ok\":true", "\"ok\":false").replace(
            "\"error\":null",
            r#""error":{"kind":"io","message":"full","hint":null,"exit":1,"done":[]}"#,
        );
        assert!(matches!(gate(""), Err(Refusal::Empty)));
        assert!(matches!(gate("{\"id\":1}\n"), Err(Refusal::Empty)));
        assert!(matches!(
            gate("nonsense\n"),
            Err(Refusal::Unreadable { line: 1, .. })
        ));
        assert!(matches!(gate("[1]\n"), Err(Refusal::Unreadable { .. })));
        assert!(matches!(gate(&GOOD[..90]), Err(Refusal::Unreadable { .. })));
        assert!(matches!(gate(&failed), Err(Refusal::Failed { .. })));
        assert!(matches!(
            gate(&format!("{failed}\n{GOOD}")),
            Err(Refusal::Failed { .. })
        ));
        assert!(matches!(
            gate(&GOOD.replace("\"v\":1", "\"v\":2")),
            Err(Refusal::Version { version: 2, .. })
        ));
        assert!(matches!(
            gate(&GOOD.replace("production", "staging")),
            Err(Refusal::Environment { .. })
        ));
        assert!(matches!(
            gate(&GOOD.replace("run\":false", "run\":true")),
            Err(Refusal::DryRun(_))
        ));
        assert!(matches!(
            gate(&GOOD.replace("T02:00", "T00:00")),
            Err(Refusal::Old { .. })
        ));
    }
}
