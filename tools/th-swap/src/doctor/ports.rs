//! The ports of an app on TCP, and the include file that names them.

use std::fs;

use th_record::kind::SwapFinding;

use super::finding::problem;
use crate::context::Context;
use crate::releases::Releases;
use crate::{Error, reload};

/// Returns what is wrong.
pub(super) fn findings(context: &Context) -> Result<Vec<SwapFinding>, Error> {
    let mut found = clashes(context);
    found.extend(include(context)?);
    Ok(found)
}

fn clashes(context: &Context) -> Vec<SwapFinding> {
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    for (slot, ports) in &context.slots.ports {
        for (service, port) in ports {
            if seen.contains(port) {
                found.push(problem(
                    "port_clash",
                    format!("slots.ports.{slot}.{service}"),
                    format!("port {port} is another service's or slot's too"),
                    "give each service of each slot a port of its own",
                ));
            }
            seen.push(*port);
        }
    }
    found
}

/// Before the first release, the file gives the traffic to nobody.
fn include(context: &Context) -> Result<Option<SwapFinding>, Error> {
    if reload::live(context)?.is_some() {
        return Ok(None);
    }
    let path = &context.slots.nginx.include;
    let releases = Releases::read(&context.state)?;
    let there = fs::read_to_string(path).ok();
    let is_nobodys = there.as_ref() == Some(&reload::render(context, None));
    let (found, fix) = match (&there, releases.live()) {
        (None, _) => (
            "the include file is not there".to_owned(),
            "run th-swap init, and reload nginx",
        ),
        (Some(_), None) if is_nobodys => return Ok(None),
        (Some(_), None) => (
            "the include file is not of th-swap, and names no slot's ports".to_owned(),
            "move it away, run th-swap init, and reload nginx",
        ),
        (Some(_), Some(live)) if is_nobodys => (
            format!(
                "the include file gives the traffic to nobody, but '{}' was released in {}",
                live.tag, live.slot
            ),
            "run th-swap init, and reload nginx",
        ),
        (Some(_), Some(live)) => (
            format!(
                "the include file names no slot's ports, but '{}' was released in {}",
                live.tag, live.slot
            ),
            "release with th-swap to, which writes it for the other slot, or put slots.ports back",
        ),
    };
    let path = path.to_string_lossy();
    Ok(Some(problem("include_missing", path, found, fix)))
}
