//! From arguments to exit status: the frame around every tool's `run`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::value::RawValue;
use th_record::{ErrorKind, Exit, Fail, Failure, Id, Record, Upstream, VERSION};

use crate::signals::Signals;
use crate::{InputArgs, Outcome, OutputArgs, Run, printable_lines};

/// The identity of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The kind of its record when it fails before it has a payload.
    pub kind: &'static str,
}

/// Runs `work`, prints its record or its summary, appends the record to the journal, and returns
/// the exit status.
///
/// With `-` the upstream records are read first, to their end; if they cannot be, `work` is not
/// called. Whether they allow to act is checked by [`Run::acts_on`].
pub fn execute<E: Fail>(
    tool: Tool,
    output: &OutputArgs,
    input: &InputArgs,
    work: impl FnOnce(&mut Run) -> Result<Outcome, E>,
) -> ExitCode {
    let started_at = Utc::now().trunc_subsecs(0);
    let start = Instant::now();
    let mut run = Run {
        tool: tool.name,
        version: tool.version,
        id: String::new(),
        upstream: None,
        output: output.clone(),
        cancel: Default::default(),
        environment: None,
        max_age: *input.max_age,
        state: None,
        warnings: Vec::new(),
        done: Vec::new(),
        changed: false,
        phases: Vec::new(),
        human: !output.json && io::stdout().is_terminal(),
    };
    let signals = match Signals::watch() {
        Ok(signals) => signals,
        Err(error) => {
            run.warn(format!("signals end this run without cleaning up: {error}"));
            Signals::default()
        }
    };
    run.cancel = signals.cancel().clone();
    let upstream = input.input.is_some().then(read_upstream);
    let upstream_run = match &upstream {
        Some(Ok(upstream)) => upstream.run().map(str::to_owned),
        _ => None,
    };
    run.id = upstream_run
        .or_else(|| std::env::var("TH_RUN_ID").ok().filter(|id| !id.is_empty()))
        .unwrap_or_else(|| Id::new(Utc::now()).to_string());
    let result = match upstream.transpose() {
        Err(failure) => Err(failure),
        Ok(upstream) => {
            run.upstream = upstream;
            work(&mut run).map_err(|error| Failure::of(&error))
        }
    };
    let result = match (result, signals.kind()) {
        // Whatever broke after a signal broke because of it.
        (Err(failure), Some(kind)) if failure.exit != Exit::HalfWay.code() => Err(Failure {
            hint: None,
            ..Failure::new(kind, failure.message)
        }),
        (Ok(mut outcome), Some(kind)) => {
            // What came to an end because of it, with something to show all the same.
            if let Some(failure) = &mut outcome.failure
                && failure.kind == ErrorKind::Interrupted
            {
                (failure.kind, failure.exit) = (kind, kind.exit().code());
            }
            Ok(outcome)
        }
        (result, _) => result,
    };
    let exit = report(tool, &mut run, started_at, start, result);
    if [Exit::HungUp, Exit::Interrupted, Exit::Terminated]
        .map(Exit::code)
        .contains(&exit)
    {
        signals.reraise();
    }
    ExitCode::from(exit)
}

fn read_upstream() -> Result<Upstream, Failure> {
    if io::stdin().is_terminal() {
        let message = "'-' reads records from a pipe, but stdin is a terminal";
        return Err(Failure::new(ErrorKind::Usage, message));
    }
    let stdout = BufWriter::new(io::stdout().lock());
    Upstream::read(io::stdin().lock(), stdout).map_err(|refusal| Failure::of(&refusal))
}

fn report(
    tool: Tool,
    run: &mut Run,
    started_at: DateTime<Utc>,
    start: Instant,
    result: Result<Outcome, Failure>,
) -> u8 {
    let mut record = Record {
        v: VERSION,
        kind: tool.kind.to_owned(),
        tool: tool.name.to_owned(),
        version: tool.version.to_owned(),
        run: run.id.clone(),
        environment: run.environment.clone(),
        started_at,
        duration_seconds: start.elapsed().as_secs_f64(),
        ok: true,
        changed: run.changed,
        dry_run: run.output.plan,
        warnings: Vec::new(),
        data: None::<Box<RawValue>>,
        error: None,
    };
    let mut summary = String::new();
    let failure = match result {
        Ok(outcome) => {
            record.kind = outcome.kind.to_owned();
            record.changed |= outcome.changed;
            record.dry_run = outcome.dry_run;
            record.data = outcome.data;
            summary = outcome.summary;
            outcome.failure
        }
        Err(failure) => Some(failure),
    };
    if let Some(mut failure) = failure {
        // Half way is neither what was before nor what was to be.
        record.changed |= failure.kind == ErrorKind::HalfWay;
        if record.changed && failure.kind.exit().is_unchanged() {
            // It failed all the same, but no status may promise what is not so.
            (failure.kind, failure.exit) = (ErrorKind::Partial, Exit::Partial.code());
        }
        failure.done = std::mem::take(&mut run.done);
        let shown = printable_lines(&failure.to_string());
        let _ = writeln!(io::stderr(), "{}: {shown}", tool.name);
        record.ok = false;
        record.error = Some(failure);
    }
    if let (Some(state), false) = (&run.state, record.dry_run)
        // A run that was not let in, or that only looked, must not create the directory.
        && state.dir().is_dir()
    {
        record.warnings = run.warnings.clone();
        if let Err(error) = state.journal().append(&record) {
            run.warn(Failure::of(&error).message);
        }
    }
    record.warnings = std::mem::take(&mut run.warnings);
    let exit = record
        .error
        .as_ref()
        .map_or(Exit::Done.code(), |failure| failure.exit);
    let text = if run.human {
        summary
    } else {
        serde_json::to_string(&record).unwrap_or_default()
    };
    match print(&text) {
        // The work is done all the same; only nobody listens.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(
                io::stderr(),
                "{}: cannot write the record: {error}",
                tool.name
            );
            match (exit, record.changed) {
                (0, true) => Exit::Partial.code(),
                (0, false) => Exit::Failed.code(),
                _ => exit,
            }
        }
        _ => exit,
    }
}

fn print(text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}
