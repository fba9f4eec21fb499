//! The settings that a release can do without, but not well.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use th_record::kind::SwapFinding;

use super::finding::{advice, problem};
use crate::access_log;
use crate::context::Context;

/// The end of a log that holds a line or two.
const END: u64 = 16 * 1024;

/// Returns what is wrong.
pub(super) fn findings(context: &Context) -> Vec<SwapFinding> {
    let nginx = &context.slots.nginx;
    let mut found = Vec::new();
    if nginx.front.is_none() {
        found.push(advice(
            "no_front",
            "slots.nginx.front",
            "it is not set: a release asks nothing through nginx, and has no receipt",
            "set it to where nginx listens, such as http://127.0.0.1:8000",
        ));
    } else if context.slots.probe_post.is_none() {
        found.push(advice(
            "no_probe_post",
            "slots.probe_post",
            "it is not set: a receipt has no POST, which nginx never sends twice as it does a GET",
            "set it to a path of the first service that answers a POST with 2xx and changes nothing",
        ));
    }
    if let (Some(_), [only]) = (&nginx.front, nginx.probes.as_slice())
        && context.slots.services.len() > 1
    {
        found.push(advice(
            "one_probe",
            "slots.nginx.probes",
            format!("only {only} is asked for through nginx: a receipt says nothing of the other services"),
            "set it to a path of each service that answers during maintenance too, such as [\"/health\", \"/healthz\"]",
        ));
    }
    match &nginx.access_log {
        None => found.push(advice(
            "no_access_log",
            "slots.nginx.access_log",
            "it is not set: a canary and a hold see the tool's own probes only, and no user",
            "let nginx write a log in the format th, and set its path",
        )),
        Some(path) => found.extend(log(path)),
    }
    found
}

fn log(path: &Path) -> Option<SwapFinding> {
    let subject = path.to_string_lossy();
    let line = match last_line(path) {
        Ok(line) => line,
        Err(error) => {
            return Some(problem(
                "access_log",
                subject,
                format!("it cannot be read: {error}"),
                "let nginx write it, and this user read it",
            ));
        }
    };
    let foreign = !line.is_empty() && !access_log::is_readable(&line);
    foreign.then(|| {
        problem(
            "access_log",
            subject,
            "its lines are not in the format th: users' errors are not seen, or not told from the tool's own requests",
            "write access_log PATH th; where log_format th is the JSON one with slot, client and upstream_*",
        )
    })
}

/// Returns the last whole line.
fn last_line(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let from = size.saturating_sub(END);
    let mut text = vec![0; (size - from) as usize];
    let count = file.read_at(&mut text, from)?;
    text.truncate(count);
    let mut lines = text.split(|byte| *byte == b'\n').rev();
    // What comes after the last newline is not whole.
    lines.next();
    Ok(lines.next().unwrap_or_default().to_vec())
}
