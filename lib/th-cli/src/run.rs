//! One run of a tool: what its parts share, and what it has done so far.

use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use serde::Serialize;
use th_record::kind::Phase;
use th_record::{Refusal, Upstream};
use th_state::State;

use crate::{OutputArgs, Progress, printable};

/// One run of a tool.
#[derive(Debug)]
pub struct Run {
    /// The tool's name.
    pub tool: &'static str,
    /// The tool's version.
    pub version: &'static str,
    /// The id that all records of the chain share.
    pub id: String,
    /// The records of the tools before this one; `None` without `-`.
    pub upstream: Option<Upstream>,
    /// The flags about output.
    pub output: OutputArgs,
    pub(crate) max_age: Duration,
    pub(crate) cancel: Arc<AtomicBool>,
    pub(crate) environment: Option<String>,
    pub(crate) state: Option<State>,
    pub(crate) warnings: Vec<String>,
    pub(crate) done: Vec<String>,
    pub(crate) changed: bool,
    pub(crate) phases: Vec<Phase>,
    pub(crate) human: bool,
}

impl Run {
    /// Names the environment of this run and where its journal is, and checks that the records of
    /// the tools before this one allow to act on it.
    ///
    /// # Errors
    /// The reason not to act.
    pub fn acts_on(&mut self, environment: Option<&str>, state: &State) -> Result<(), Refusal> {
        self.environment = environment.map(str::to_owned);
        self.state = Some(state.clone());
        match &self.upstream {
            Some(upstream) => upstream.gate(environment, self.max_age, Utc::now()),
            None => Ok(()),
        }
    }

    /// Returns the flag that SIGINT, SIGTERM and SIGHUP raise.
    pub fn cancel(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancel)
    }

    /// Tells whether SIGINT, SIGTERM or SIGHUP asked to stop.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Adds a warning to the record, and shows it at once unless told to be quiet.
    pub fn warn(&mut self, message: impl Into<String>) {
        let message = message.into();
        if !self.output.quiet {
            let shown = printable(&message);
            let _ = writeln!(std::io::stderr(), "{}: warning: {shown}", self.tool);
        }
        self.warnings.push(message);
    }

    /// Warns that `what` was removed, which a run that died had left behind.
    pub fn swept(&mut self, what: impl Display) {
        self.warn(format!("removed what a dead run had left: '{what}'"));
    }

    /// Notes that something is changed, whatever becomes of the run from here on.
    pub fn changed(&mut self) {
        self.changed = true;
    }

    /// Notes that a step is finished: a later failure names it.
    pub fn done(&mut self, step: impl Into<String>) {
        self.done.push(step.into());
    }

    /// Starts to show the progress of a phase of `total` bytes.
    pub fn progress(&self, label: &str, total: Option<u64>) -> Progress {
        Progress::start(label, total, self.output.quiet)
    }

    /// Starts to show a phase in which nothing but time passes.
    pub fn waiting(&self, label: &str) -> Progress {
        Progress::wait(label, self.output.quiet)
    }

    /// Does a phase and notes how long it took.
    pub fn phase<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let start = Instant::now();
        let result = work(self);
        self.took(name, start.elapsed().as_secs_f64());
        result
    }

    /// Notes a phase that was measured elsewhere, in seconds.
    pub fn took(&mut self, name: &str, duration_seconds: f64) {
        self.phases.push(Phase {
            name: name.to_owned(),
            duration_seconds,
        });
    }

    /// Returns the phases so far, and forgets them.
    pub fn take_phases(&mut self) -> Vec<Phase> {
        std::mem::take(&mut self.phases)
    }

    /// Prints one item of a list: a JSON line, or on a terminal `line`.
    pub fn item(&self, item: &impl Serialize, line: &str) {
        let text = if self.human {
            line.to_owned()
        } else {
            serde_json::to_string(item).unwrap_or_default()
        };
        // A reader that went away has seen enough.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}
