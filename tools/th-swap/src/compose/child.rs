//! A child program that is waited for, but not for ever, and not past a signal.

use std::io::{self, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// How long it may take to end once it is told to.
const GRACE: Duration = Duration::from_secs(10);

/// How it ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself.
    Itself(Output),
    /// It was ended, after the limit.
    Late,
    /// It was ended, or failed, after a signal to this process.
    Cancelled,
}

/// Runs `command` and gathers what it prints. It is ended after `limit`, and when `cancel` is raised.
///
/// # Errors
/// When it cannot be run.
pub(super) fn run(
    command: &mut Command,
    limit: Duration,
    cancel: Option<&AtomicBool>,
) -> io::Result<Ended> {
    let cancelled = || cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (gather(child.stdout.take()), gather(child.stderr.take()));
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            if cancelled() && !status.success() {
                // A signal from the terminal is for it as well.
                return Ok(Ended::Cancelled);
            }
            return Ok(Ended::Itself(Output {
                status,
                stdout: stdout.join().unwrap_or_default(),
                stderr: stderr.join().unwrap_or_default(),
            }));
        }
        let (late, cancelled) = (start.elapsed() >= limit, cancelled());
        if late || cancelled {
            end(&mut child)?;
            return Ok(if cancelled {
                Ended::Cancelled
            } else {
                Ended::Late
            });
        }
        thread::sleep(LOOK);
    }
}

/// Tells it to end, and ends it if it does not.
fn end(child: &mut Child) -> io::Result<()> {
    if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
        kill_process(pid, Signal::TERM)?;
    }
    let start = Instant::now();
    while start.elapsed() < GRACE {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        thread::sleep(LOOK);
    }
    child.kill()?;
    child.wait().map(drop)
}

/// Reads a pipe to its end, so that the child is never held up by it.
fn gather(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before it broke is all there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn one_that_ends_has_said_it_all() {
        let script = "head -c 200000 /dev/zero; echo trouble >&2; exit 3";
        let Ended::Itself(output) = run(&mut shell(script), LIMIT, None).unwrap() else {
            panic!("it was ended");
        };
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(3), 200_000)
        );
        assert_eq!(output.stderr, b"trouble\n");
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        let start = Instant::now();
        let mut sleep = Command::new("sleep");
        let short = Duration::from_millis(50);
        assert!(matches!(run(sleep.arg("60"), short, None), Ok(Ended::Late)));

        let cancel = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(short);
                cancel.store(true, Ordering::Relaxed);
            });
            let mut sleep = Command::new("sleep");
            let ended = run(sleep.arg("60"), LIMIT, Some(&cancel));
            assert!(matches!(ended, Ok(Ended::Cancelled)));
        });
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
