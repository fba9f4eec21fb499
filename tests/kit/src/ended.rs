//! How a tool under test ended.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::schema::check_schema;

/// How a run of a tool ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status; 128 and the number if a signal ended it.
    pub code: i32,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
    /// The last line of stdout.
    pub record: Value,
}

impl Ended {
    /// Returns `data` of the record.
    pub fn data(&self) -> &Value {
        &self.record["data"]
    }

    /// Returns `error.kind` of the record, or nothing.
    pub fn kind(&self) -> &str {
        self.record["error"]["kind"].as_str().unwrap_or_default()
    }

    /// Returns the message and the hint of the record's error.
    pub fn message(&self) -> String {
        let error = &self.record["error"];
        let text = |key: &str| error[key].as_str().unwrap_or_default();
        format!("{} {}", text("message"), text("hint"))
    }

    /// Checks that the tool ended with `code`, and returns itself.
    ///
    /// # Errors
    /// What the tool said, if it ended otherwise.
    pub fn expect(self, code: i32) -> Result<Self> {
        let Self {
            code: found,
            stderr,
            stdout,
            ..
        } = &self;
        ensure!(
            *found == code,
            "exit {found}, not {code}\n{stderr}\n{stdout}"
        );
        Ok(self)
    }

    /// What must hold of every run: records on stdout and nothing else, the exit status of the
    /// process is the one in the record, and what it promises of changes is so. What came in is passed on, whatever it is.
    pub(crate) fn check(&self, stdin: &str) -> Result<()> {
        let own = self.stdout.strip_prefix(stdin).unwrap_or(&self.stdout);
        // A line that was cut off is ended before the tool's own begins.
        for line in own.trim_start().lines() {
            let value: Value = serde_json::from_str(line)
                .with_context(|| format!("stdout holds something else than records: {line}"))?;
            check_schema(&value)?;
        }
        // clap's own refusals come before there is a record.
        let Some(record) = self.record.as_object() else {
            return Ok(());
        };
        if !record.contains_key("tool") {
            bail!(
                "the last line is not the tool's own record: {}",
                self.record
            );
        }
        let exit = self.record["error"]["exit"].as_i64().unwrap_or(0);
        ensure!(
            exit == i64::from(self.code),
            "exit {} but {}",
            self.code,
            self.record
        );
        let changed = &self.record["changed"];
        let promised = match self.code {
            1 | 2 | 10..=13 => Some(false),
            // Neither what was before nor what was to be.
            21 => Some(true),
            _ => None,
        };
        ensure!(
            promised.is_none_or(|promised| *changed == promised),
            "exit {} promises otherwise: {}",
            self.code,
            self.record
        );
        let ok = self.record["ok"].as_bool();
        ensure!(
            ok == Some(self.code == 0),
            "exit {} but {}",
            self.code,
            self.record
        );
        Ok(())
    }
}
