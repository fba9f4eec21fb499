//! The switch of apps on TCP ports: an include file, a reload, and the proof that it took effect.
//!
//! `nginx -s reload` ends well whatever becomes of it: the master reads the configuration later, and
//! keeps the old one when it cannot use the new, for want of a port, say. So the switch counts only
//! when every old worker has stopped to accept, and fresh connections meet the new slot.

mod connections;
mod directive;
mod include;
mod nginx;

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use th_cli::Run;
use th_record::kind::Slot;

use crate::Error;
use crate::context::Context;
use crate::front::Front;

pub(crate) use connections::connections;
pub(crate) use directive::{Directive, parse};
pub(crate) use include::{NOBODY, live, render, upstream};
pub(crate) use nginx::{Nginx, Worker, workers};

/// How long a reload may take. Finding a port taken alone costs nginx 2.5 s.
const LIMIT: Duration = Duration::from_secs(15);
/// How long it may take to see that there is nothing to do.
const AT_ONCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// One connection is one worker's word only.
const FRESH: u32 = 12;

/// Checks that nginx could be switched: that it runs, is content with its configuration, and reads
/// the include file.
///
/// # Errors
/// [`Error::NginxRefuses`], [`Error::NginxDown`].
pub(crate) fn check(context: &Context) -> Result<(), Error> {
    Ready::check(context).map(drop)
}

/// An nginx that can be switched.
struct Ready {
    nginx: Nginx,
    config: Vec<Directive>,
    master: i32,
}

impl Ready {
    fn check(context: &Context) -> Result<Self, Error> {
        let path = &context.slots.nginx.include;
        let nginx = Nginx::of(context);
        let dump = nginx.dump().map_err(Error::io(Path::new("nginx")))?;
        let dump = dump.map_err(Error::NginxRefuses)?;
        if !directive::files(&dump).any(|file| same(file, path)) {
            let why = format!("it does not include '{}'", path.display());
            return Err(Error::NginxRefuses(why));
        }
        let config = parse(&dump);
        let master = nginx.master(setting(&config, "pid").as_deref())?;
        Ok(Self {
            nginx,
            config,
            master,
        })
    }

    /// Has nginx read what is on disk, and waits for the proof that it uses it.
    fn reload(
        &self,
        run: &mut Run,
        front: Option<&Front>,
        slot: Option<Slot>,
    ) -> Result<(), String> {
        let tested = self.nginx.test().map_err(|error| error.to_string())?;
        tested?;
        let old = workers(self.master);
        let log = ErrorLog::at_end(setting(&self.config, "error_log"));
        nginx::reload(self.master).map_err(|error| error.to_string())?;
        accepted(self.master, &old, &log)?;
        served(run, front, slot, LIMIT)
    }
}

/// Moves all traffic to `slot`: writes the include file, has nginx test and read it, and waits for
/// the proof that it took effect; otherwise the old file is put back. Old workers may still be busy
/// with requests to the old slot: see [`is_busy`].
pub(crate) fn switch(context: &Context, run: &mut Run, slot: Slot) -> Result<(), Error> {
    let path = &context.slots.nginx.include;
    let next = render(context, Some(slot));
    let front = Front::of(context)?;
    let before = fs::read(path).map_err(Error::io(path))?;
    let is_there = before == next.as_bytes();
    if is_there && served(run, front.as_ref(), Some(slot), AT_ONCE).is_ok() {
        return Ok(());
    }
    let ready = Ready::check(context)?;
    if !is_there {
        replace(path, &before, &next)?;
    }
    let Err(why) = ready.reload(run, front.as_ref(), Some(slot)) else {
        return Ok(());
    };
    // Told again whatever became of it: it may only have been slow.
    include::write(path, &before)
        .and_then(|()| nginx::reload(ready.master))
        .map_err(|error| Error::HalfSwitched(format!("{why}; {error}")))?;
    Err(Error::NotSwitched(why))
}

/// Moves all traffic back to `slot`, or to nobody. The file is written whatever state nginx is in:
/// one that is down, or refuses its configuration, must not come back with the slot that failed.
///
/// # Errors
/// [`Error::NginxDown`], [`Error::NginxRefuses`], [`Error::NotBack`]: the file is right all the same.
pub(crate) fn switch_back(
    context: &Context,
    run: &mut Run,
    slot: Option<Slot>,
) -> Result<(), Error> {
    let path = &context.slots.nginx.include;
    let next = render(context, slot);
    let front = Front::of(context)?;
    let before = fs::read(path).map_err(Error::io(path))?;
    if before != next.as_bytes() {
        replace(path, &before, &next)?;
    } else if served(run, front.as_ref(), slot, AT_ONCE).is_ok() {
        // From a switch that nginx did not make: what kept it from that may keep it from reloading.
        return Ok(());
    }
    let ready = Ready::check(context)?;
    let reloaded = ready.reload(run, front.as_ref(), slot);
    reloaded.map_err(Error::NotBack)
}

/// Puts `next` in the place of the include file, and keeps what was there.
fn replace(path: &Path, before: &[u8], next: &str) -> Result<(), Error> {
    include::write(&include::previous(path), before)?;
    include::write(path, next.as_bytes())
}

/// Returns the master process of nginx; `None` when it does not run.
pub(crate) fn master(context: &Context) -> Option<i32> {
    let nginx = Nginx::of(context);
    let dump = nginx.dump().ok()?.ok()?;
    let configured = setting(&parse(&dump), "pid");
    nginx.master(configured.as_deref()).ok()
}

/// Tells whether workers of an earlier configuration are still there: as long as one is, it may
/// send a request to the old slot.
pub(crate) fn is_busy(master: i32) -> bool {
    workers(master).iter().any(|worker| worker.leaving)
}

/// Waits until new workers accept and no old one does.
fn accepted(master: i32, old: &[Worker], log: &ErrorLog) -> Result<(), String> {
    let until = Instant::now() + LIMIT;
    loop {
        let now = workers(master);
        let is_old = |worker: &&Worker| old.iter().any(|old| old.pid == worker.pid);
        let accepting = now.iter().filter(is_old).any(|worker| !worker.leaving);
        if !accepting && !now.iter().all(|worker| is_old(&worker)) {
            return Ok(());
        }
        let complaints = log.complaints();
        // A port that is taken is tried again for a while.
        let fatal = complaints.iter().find(|it| !it.starts_with("bind() to"));
        let late = Instant::now() > until;
        if let Some(why) = fatal.or(complaints.last().filter(|_| late)) {
            return Err(why.clone());
        }
        if late {
            return Err(format!(
                "its old workers still accept connections after {} s",
                LIMIT.as_secs()
            ));
        }
        thread::sleep(PAUSE);
    }
}

/// Asks on fresh connections until only `slot` answers, or nobody well.
fn served(
    run: &mut Run,
    front: Option<&Front>,
    slot: Option<Slot>,
    limit: Duration,
) -> Result<(), String> {
    let Some(front) = front else {
        run.warn("slots.nginx.front is not set: only the workers of nginx were looked at");
        return Ok(());
    };
    let until = Instant::now() + limit;
    let (mut good, mut silent, mut last) = (0, 0, String::new());
    while good < FRESH {
        if Instant::now() > until {
            return Err(format!("{} still answers: {last}", front.address));
        }
        match front.ask(&mut front.fresh(), u64::from(good), front.get(0)) {
            Ok(answer) if answer.slot.is_none() && answer.is_good() => silent += 1,
            Ok(answer) if answer.slot == slot && answer.is_good() == slot.is_some() => {
                good += 1;
                continue;
            }
            Ok(answer) => last = format!("{} of {:?}", answer.status, answer.slot),
            Err(error) => last = error.to_string(),
        }
        if silent >= FRESH {
            run.warn("no answer names its slot in X-Th-Slot: only the workers were looked at");
            return Ok(());
        }
        good = 0;
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Returns the first argument of a directive of the main file, as a path.
pub(crate) fn setting(config: &[Directive], name: &str) -> Option<PathBuf> {
    let found = config.iter().find(|directive| directive.name == name)?;
    Some(PathBuf::from(found.value()))
}

/// Tells whether two names are of one file.
fn same(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(a), Ok(b)) if a == b)
}

/// What nginx writes into its error log from now on.
struct ErrorLog {
    path: Option<PathBuf>,
    from: u64,
}

impl ErrorLog {
    fn at_end(path: Option<PathBuf>) -> Self {
        let size = |path: &PathBuf| fs::metadata(path).map(|it| it.len()).ok();
        let from = path.as_ref().and_then(size).unwrap_or(0);
        Self { path, from }
    }

    fn complaints(&self) -> Vec<String> {
        let read = |path: &PathBuf| -> io::Result<Vec<u8>> {
            // More than it says in one reload; and no more, however much others write.
            let mut text = vec![0; 64 * 1024];
            let count = fs::File::open(path)?.read_at(&mut text, self.from)?;
            text.truncate(count);
            Ok(text)
        };
        let text = self.path.as_ref().and_then(|path| read(path).ok());
        nginx::complaints(&String::from_utf8_lossy(&text.unwrap_or_default()))
    }
}
