//! The maintenance page: nginx answers 503 with it as long as `run/maintenance` is there.
//!
//! That is a symlink to a file whose name holds the seconds of `Retry-After`. nginx finds out by
//! itself, for it resolves the link at each request, so one rename turns the page on with its time.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use th_archive::atomic::{self, AtomicFile};
use th_cli::{Outcome, Run};
use th_record::kind::Maintenance;

use crate::Error;
use crate::args::Switch;
use crate::context::Context;

const NAME: &str = "maintenance";
/// What the link leads to: this, and the seconds.
const TARGET: &str = "retry-after-";

/// Tells whether the page is on.
pub(crate) fn is_on(context: &Context) -> bool {
    path(context).exists()
}

/// Returns the path that nginx looks for.
pub(crate) fn path(context: &Context) -> PathBuf {
    context.root.join("run").join(NAME)
}

/// Turns the page on or off.
pub(crate) fn maintenance(
    context: &Context,
    run: &mut Run,
    switch: Switch,
    retry_after: Duration,
) -> Result<Outcome, Error> {
    let dir = context.root.join("run");
    let path = path(context);
    let before = seconds(&path)?;
    let wanted = match switch {
        Switch::On => Some(retry_after.as_secs()),
        Switch::Off => None,
    };
    let changes = before != wanted.map(Some);
    if changes && !run.output.plan {
        match wanted {
            Some(seconds) => turn_on(&dir, run, seconds)?,
            None => remove(&path)?,
        }
        run.changed();
        atomic::fsync_dir(&dir).map_err(Error::io(&dir))?;
        sweep(&dir, wanted)?;
    }
    let data = Maintenance {
        on: wanted.is_some(),
        path: path.to_string_lossy().into_owned(),
        retry_after_seconds: wanted,
    };
    let summary = match wanted {
        Some(seconds) => format!(
            "maintenance is on: sites that look for '{}' answer 503, come back in {seconds} s; \
             th-swap maintenance off ends it",
            data.path
        ),
        None => "maintenance is off".to_owned(),
    };
    Ok(match (run.output.plan, changes) {
        (true, _) => Outcome::plan("maintenance", &data, summary),
        (false, false) => Outcome::done("maintenance", &data, summary),
        (false, true) => Outcome::done("maintenance", &data, summary).changed(),
    })
}

/// Returns what is on: `None` when nothing is, `Some(None)` when a hand-made file says no time.
fn seconds(path: &Path) -> Result<Option<Option<u64>>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    let target = fs::read_link(path).unwrap_or_default();
    let seconds = target.to_str().and_then(|name| name.strip_prefix(TARGET));
    Ok(Some(seconds.and_then(|seconds| seconds.parse().ok())))
}

fn turn_on(dir: &Path, run: &mut Run, seconds: u64) -> Result<(), Error> {
    let name = format!("{TARGET}{seconds}");
    let target = dir.join(&name);
    let written = AtomicFile::create(&target).and_then(|mut file| {
        writeln!(file, "maintenance, come back in {seconds} s")?;
        file.set_mode(0o644)?;
        file.commit()
    });
    written.map_err(Error::io(&target))?;
    run.changed();
    let next = dir.join(format!(".{NAME}.next"));
    remove(&next)?;
    symlink(&name, &next).map_err(Error::io(&next))?;
    fs::rename(&next, dir.join(NAME)).map_err(Error::io(&next))
}

/// Removes the targets of earlier times, and those that never were whole.
fn sweep(dir: &Path, wanted: Option<u64>) -> Result<(), Error> {
    atomic::sweep(dir).map_err(Error::io(dir))?;
    let current = wanted.map(|seconds| format!("{TARGET}{seconds}"));
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let entry = entry.map_err(Error::io(dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(TARGET) && Some(&name) != current.as_ref() {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}
