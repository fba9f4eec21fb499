//! The include file of an app on TCP ports: it names one slot's servers.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use th_archive::atomic::{self, AtomicFile};
use th_record::kind::Slot;

use crate::Error;
use crate::context::Context;

/// nginx and whoever looks for a mistake read it.
const MODE: u32 = 0o644;
/// The server that is named before the first release: nobody listens there.
pub(crate) const NOBODY: &str = "127.0.0.1:9";

/// Returns the name of the upstream of `service`.
pub(crate) fn upstream(context: &Context, service: &str) -> String {
    format!("{}_{}_{service}", context.app, context.name)
}

/// Returns the server of `service` in `slot`: never `localhost`, which may be two addresses.
fn server(context: &Context, slot: Slot, service: &str) -> String {
    format!("127.0.0.1:{}", context.port(slot, service))
}

/// Renders the file that gives all traffic to `slot`, or before the first release to nobody.
pub(crate) fn render(context: &Context, slot: Option<Slot>) -> String {
    let name = slot.map_or("none", Slot::name);
    let mut text = format!(
        "# Written by th-swap at each switch: the traffic goes to {name}.\n\
         map \"\" ${} {{ default {name}; }}\n",
        identifier(&format!("th_{}_{}_slot", context.app, context.name))
    );
    for service in &context.slots.services {
        let name = upstream(context, &service.name);
        let server = slot.map_or(NOBODY.to_owned(), |slot| {
            server(context, slot, &service.name)
        });
        text += &format!("upstream {name} {{\n    server {server} max_fails=0;\n}}\n");
    }
    text
}

/// Returns the slot that the file on disk gives the traffic to.
pub(crate) fn live(context: &Context) -> Result<Option<Slot>, Error> {
    let path = &context.slots.nginx.include;
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    for slot in Slot::ALL {
        let mut all = true;
        for service in &context.slots.services {
            let server = server(context, slot, &service.name);
            let names = |line: &&str| line.split([' ', ';']).any(|word| word == server);
            all &= lines.iter().any(names);
        }
        if all {
            return Ok(Some(slot));
        }
    }
    Ok(None)
}

/// Returns where the file that was replaced is kept. No `*.conf` includes it.
pub(super) fn previous(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".previous");
    PathBuf::from(name)
}

/// Replaces a file at once and durably.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    // What a dead run of ours has left there is in nobody's way if it stays.
    let _ = path.parent().map(atomic::sweep);
    let written = AtomicFile::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.set_mode(MODE)?;
        file.commit()
    });
    written.map_err(Error::io(path))
}

/// Returns `name` with what nginx allows in the name of a variable.
fn identifier(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(allowed).collect()
}
