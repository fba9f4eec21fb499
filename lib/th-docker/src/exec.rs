//! Programs in a running container: started, fed, read, and ended with their client.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bollard::exec::CreateExecOptions;

use crate::hijack::Hijacked;
use crate::stream::Frames;
use crate::{Docker, Error, TIMEOUT};

/// For a script that waits for a child: the function `await CHILD`, which returns its status.
pub const AWAIT: &str = include_str!("exec/await.sh");
/// For the end of a script that has read its input: runs the program that its arguments name, and
/// ends it when its client is gone, which a program that reads no stdin would not notice.
pub const WATCHDOG: &str = concat!(
    include_str!("exec/await.sh"),
    include_str!("exec/watchdog.sh")
);
/// Becomes the program, so that a missing one fails the same way as under the watchdog.
const DIRECT: &str = r#"exec "$@""#;

/// What to run.
#[derive(Clone, Default)]
pub struct ExecSpec {
    /// The program and its arguments. The container needs `sh`.
    pub cmd: Vec<String>,
    /// Variables on top of the container's; may hold secrets.
    pub env: Vec<(String, String)>,
    /// The user, if not the container's.
    pub user: Option<String>,
    /// Whether the program reads stdin.
    ///
    /// If it does not, it is sent SIGTERM when this process dies, however it dies. If it does, the
    /// death of this process is nothing but the end of its input: it ends by itself when it next
    /// reads, and must not take an early end for success.
    pub stdin: bool,
}

impl fmt::Debug for ExecSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("ExecSpec")
            .field("cmd", &self.cmd)
            .field("env", &names)
            .field("user", &self.user)
            .field("stdin", &self.stdin)
            .finish()
    }
}

/// A program running in a container. Dropping it ends the program.
#[derive(Debug)]
pub struct Exec {
    docker: Docker,
    id: String,
    program: String,
    connection: Hijacked,
    frames: Arc<Mutex<Frames<Hijacked>>>,
    streams: Option<(ExecInput, ExecOutput)>,
}

/// The stdin of a program. Dropping it is the end of the input.
#[derive(Debug)]
pub struct ExecInput {
    connection: Hijacked,
    open: bool,
}

/// The stdout of a program. Dropping it before its end ends the program.
#[derive(Debug)]
pub struct ExecOutput {
    connection: Hijacked,
    frames: Arc<Mutex<Frames<Hijacked>>>,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecEnd {
    /// Its exit status; 128 and the signal's number if a signal ended it.
    pub status: i64,
    /// The last 64 KiB of its stderr, trimmed.
    pub stderr: String,
}

impl Docker {
    /// Starts a program in a running container. Once `cancel` is set, reads and writes fail within
    /// 0.2 s and the program is ended.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Refused`] when the container does not run. A program that
    /// is missing is known at [`Exec::wait`] only.
    pub fn exec(
        &self,
        container: &str,
        spec: &ExecSpec,
        cancel: Arc<AtomicBool>,
    ) -> Result<Exec, Error> {
        let script = if spec.stdin { DIRECT } else { WATCHDOG };
        let shell = ["sh", "-c", script, "sh"].map(str::to_owned);
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            env: Some(
                spec.env
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
            ),
            cmd: Some(shell.into_iter().chain(spec.cmd.iter().cloned()).collect()),
            user: spec.user.clone(),
            ..Default::default()
        };
        let id = self
            .wait_for(container, self.client().create_exec(container, options))?
            .id;
        let connection = self.hijack(&id, container, cancel)?;
        let frames = Arc::new(Mutex::new(Frames::new(connection.clone())));
        let input = ExecInput {
            connection: connection.clone(),
            open: spec.stdin,
        };
        let output = ExecOutput {
            connection: connection.clone(),
            frames: Arc::clone(&frames),
        };
        Ok(Exec {
            docker: self.clone(),
            id,
            program: spec.cmd.first().cloned().unwrap_or_default(),
            connection,
            frames,
            streams: Some((input, output)),
        })
    }
}

impl Exec {
    /// Returns the program's stdin and stdout, for two threads if need be. The second call returns
    /// nothing.
    pub fn split(&mut self) -> Option<(ExecInput, ExecOutput)> {
        self.streams.take()
    }

    /// Waits for the program's end and returns it. Stdin is closed first unless it was split off;
    /// what nobody has read of stdout is dropped.
    ///
    /// # Errors
    /// [`Error::Stream`] when the connection broke, whatever the status; [`Error::Cancelled`];
    /// [`Error::Program`] when the program could not be started.
    pub fn wait(&mut self) -> Result<ExecEnd, Error> {
        let output = self.streams.take().map(|(_, output)| output);
        let copied = io::copy(&mut *locked(&self.frames), &mut io::sink());
        drop(output);
        let program = self.program.clone();
        match copied {
            Ok(_) => {}
            Err(_) if self.connection.cancelled() => return Err(Error::Cancelled(program)),
            Err(source) => return Err(Error::Stream { program, source }),
        }
        let status = self.status()?;
        let frames = locked(&self.frames);
        match status {
            // The shell's word for a program it cannot start, and the engine's for a shell.
            126 | 127 => Err(Error::Program {
                program,
                message: frames.last_words(),
            }),
            _ => Ok(ExecEnd {
                status,
                stderr: frames.stderr(),
            }),
        }
    }

    /// Returns the exit status. The engine notes it about when it closes the stream.
    fn status(&self) -> Result<i64, Error> {
        let start = Instant::now();
        while start.elapsed() < TIMEOUT {
            let call = self.docker.client().inspect_exec(&self.id);
            let seen = self.docker.wait_for(&self.program, call)?;
            if let (Some(false), Some(status)) = (seen.running, seen.exit_code) {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(Error::Timeout {
            object: self.program.clone(),
            limit: TIMEOUT,
        })
    }
}

impl Drop for Exec {
    fn drop(&mut self) {
        self.connection.hang_up();
    }
}

impl Write for ExecInput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open {
            self.connection.write(bytes)
        } else {
            Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the program was started without stdin",
            ))
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for ExecInput {
    fn drop(&mut self) {
        // Without stdin, the end of the input is the end of the program.
        if self.open {
            self.connection.close_input();
        }
    }
}

impl Read for ExecOutput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        locked(&self.frames).read(buffer)
    }
}

impl Drop for ExecOutput {
    fn drop(&mut self) {
        if locked(&self.frames).abandon() {
            self.connection.hang_up();
        }
    }
}

/// A panic elsewhere leaves no frame half read.
fn locked(frames: &Mutex<Frames<Hijacked>>) -> MutexGuard<'_, Frames<Hijacked>> {
    frames.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::ExecSpec;

    #[test]
    fn debug_shows_names_of_variables_only() {
        let env = vec![("PGPASSWORD".to_owned(), "hunter2".to_owned())];
        let text = format!(
            "{:?}",
            ExecSpec {
                env,
                ..Default::default()
            }
        );
        assert!(
            text.contains("PGPASSWORD") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
