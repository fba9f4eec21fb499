//! Laying the slots' directories, the lanes, and the file that nginx includes.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use th_archive::atomic::AtomicFile;
use th_cli::{Outcome, Run};
use th_config::Mode;
use th_record::kind::{Slot, SwapInit};

use crate::context::Context;
use crate::releases::Releases;
use crate::{Error, doctor, reload, summary};

/// Containers make their sockets here as whichever user they run as, and remove but their own.
const SOCKETS: u32 = 0o1777;
/// nginx's user passes and reads, and changes nothing.
const OPEN: u32 = 0o755;

/// Makes what is missing; what is there is left alone, but for its mode and the include file.
pub(crate) fn init(context: &Context, run: &mut Run) -> Result<Outcome, Error> {
    let plan = run.output.plan;
    let root = &context.root;
    let mut made = Vec::new();
    let mut dirs = vec![(root.clone(), None), (root.join("run"), Some(OPEN))];
    dirs.extend(Slot::ALL.map(|slot| (context.run_dir(slot), Some(SOCKETS))));
    dirs.push((context.lanes.dir().to_owned(), Some(OPEN)));
    let include = &context.slots.nginx.include;
    dirs.extend(include.parent().map(|dir| (dir.to_owned(), None)));
    for (dir, mode) in dirs {
        if lay(&dir, run, mode)? {
            made.push(dir.to_string_lossy().into_owned());
        }
    }
    let text = match context.slots.mode {
        Mode::Lanes => Some(render(context)),
        Mode::Reload => ports(context)?,
    };
    if let Some(text) = text
        && write(include, run, &text)?
    {
        made.push(include.to_string_lossy().into_owned());
    }
    if let Some(dir) = doctor::barrier(context) {
        run.warn(format!(
            "'{}' does not let nginx's user pass: chmod o+x '{}'",
            dir.display(),
            dir.display()
        ));
    }
    let services = context.slots.services.iter();
    let laid = SwapInit {
        root: root.to_string_lossy().into_owned(),
        include: include.to_string_lossy().into_owned(),
        upstreams: services
            .map(|service| reload::upstream(context, &service.name))
            .collect(),
        made,
    };
    let summary = summary::init(&laid);
    Ok(match (plan, laid.made.is_empty()) {
        (true, _) => Outcome::plan("swap_init", &laid, summary),
        (false, true) => Outcome::done("swap_init", &laid, summary),
        (false, false) => Outcome::done("swap_init", &laid, summary).changed(),
    })
}

/// Renders the include file of an app on ports for the slot that was released last. There the file is the
/// switch: one that gives the traffic to somebody is left alone.
fn ports(context: &Context) -> Result<Option<String>, Error> {
    let nobody = reload::render(context, None);
    let path = &context.slots.nginx.include;
    match fs::read(path) {
        Ok(there) if there != nobody.as_bytes() => return Ok(None),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io(path)(error));
        }
        _ => {}
    }
    let releases = Releases::read(&context.state)?;
    let live = releases.live().map(|live| live.slot);
    Ok(Some(reload::render(context, live)))
}

/// Writes the upstreams: a server for each lane, all of them always up.
fn render(context: &Context) -> String {
    let mut text =
        "# Laid by th-swap init. nginx includes it at its http level, once: a release changes\n\
                    # where the lanes lead, and nothing here.\n"
            .to_owned();
    for service in &context.slots.services {
        text += &format!(
            "\nupstream {} {{\n",
            reload::upstream(context, &service.name)
        );
        text += "    # By number and not by path, as `consistent` would: a client has the same lane everywhere, and is\n    # not given the api of one slot and the pages of the other.\n";
        text += "    hash $th_client;\n";
        for number in 0..context.lanes.len() {
            let socket = context.socket(&context.lanes.path(number), &service.name);
            text += &format!("    server unix:{} max_fails=0;\n", socket.display());
        }
        text += "}\n";
    }
    text
}

/// Makes a directory, and gives it `mode`. Tells whether there was anything to do.
fn lay(dir: &Path, run: &mut Run, mode: Option<u32>) -> Result<bool, Error> {
    let there = fs::metadata(dir).ok();
    let right = there
        .as_ref()
        .is_some_and(|there| mode.is_none_or(|mode| there.mode() & 0o7777 == mode));
    if right || run.output.plan {
        return Ok(!right);
    }
    fs::create_dir_all(dir).map_err(Error::io(dir))?;
    if there.is_none() {
        run.changed();
    }
    if let Some(mode) = mode {
        fs::set_permissions(dir, Permissions::from_mode(mode)).map_err(Error::io(dir))?;
        run.changed();
    }
    Ok(true)
}

fn write(path: &Path, run: &mut Run, text: &str) -> Result<bool, Error> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(false);
    }
    if !run.output.plan {
        let mut file = AtomicFile::create(path).map_err(Error::io(path))?;
        file.set_mode(0o644).map_err(Error::io(path))?;
        file.write_all(text.as_bytes()).map_err(Error::io(path))?;
        file.commit().map_err(Error::io(path))?;
        run.changed();
    }
    Ok(true)
}
