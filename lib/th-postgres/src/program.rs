//! A running client program: the host's, or one inside the server's container.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use th_docker::{Exec, ExecInput, ExecOutput};

use crate::Error;

/// How much of what a program says on stderr is kept: its end.
const STDERR_BYTES: usize = 64 * 1024;

/// A running program. Dropping it ends the program.
#[derive(Debug)]
pub struct Program {
    name: String,
    /// The language that it is answered in, unless that is English.
    language: Option<String>,
    input: Option<Input>,
    output: Option<Output>,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Host {
        child: Child,
        stderr: Option<JoinHandle<String>>,
    },
    Container(Exec),
}

/// The stdin of a program. Dropping it is the end of the input.
#[derive(Debug)]
pub enum Input {
    /// Of a program of the host.
    Host(ChildStdin),
    /// Of a program in a container.
    Container(ExecInput),
}

/// The stdout of a program.
#[derive(Debug)]
pub enum Output {
    /// Of a program of the host.
    Host(Pipe),
    /// Of a program in a container.
    Container(ExecOutput),
}

/// A pipe whose reader can be told to stop.
#[derive(Debug)]
pub struct Pipe {
    stdout: ChildStdout,
    cancel: Arc<AtomicBool>,
}

impl Program {
    /// Takes over a child whose stdout and stderr are piped, and its stdin if it reads any.
    pub(crate) fn host(name: &str, mut child: Child, cancel: Arc<AtomicBool>) -> Self {
        let input = child.stdin.take().map(Input::Host);
        let output = child
            .stdout
            .take()
            .map(|stdout| Output::Host(Pipe { stdout, cancel }));
        let stderr = child
            .stderr
            .take()
            .map(|stderr| thread::spawn(|| tail(stderr)));
        Self {
            name: name.to_owned(),
            language: None,
            input,
            output,
            running: Running::Host { child, stderr },
        }
    }

    /// Takes over a program in a container.
    pub(crate) fn container(name: &str, mut exec: Exec) -> Self {
        let (input, output) = exec.split().unzip();
        Self {
            name: name.to_owned(),
            language: None,
            input: input.map(Input::Container),
            output: output.map(Output::Container),
            running: Running::Container(exec),
        }
    }

    /// Says in which language a server answers the program, unless it is English.
    pub(crate) fn answered_in(mut self, language: Option<&str>) -> Self {
        self.language = language.map(str::to_owned);
        self
    }

    /// Returns the program's stdin, once.
    ///
    /// # Errors
    /// [`Error::Stream`] when it is taken already.
    pub fn input(&mut self) -> Result<Input, Error> {
        self.input.take().ok_or_else(|| self.taken())
    }

    /// Returns the program's stdout, once.
    ///
    /// # Errors
    /// [`Error::Stream`] when it is taken already.
    pub fn output(&mut self) -> Result<Output, Error> {
        self.output.take().ok_or_else(|| self.taken())
    }

    fn taken(&self) -> Error {
        let source = io::Error::other("the stream is taken already");
        Error::Stream {
            program: self.name.clone(),
            source,
        }
    }

    /// Reads what is left of the output, drops it, and waits for the end of the program.
    ///
    /// # Errors
    /// As [`Program::wait`].
    pub fn finish(mut self) -> Result<(), Error> {
        let mut output = self.output()?;
        match io::copy(&mut output, &mut io::sink()) {
            Ok(_) => self.wait(),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Waits for the end of the program; its output must have been read to the end before.
    ///
    /// # Errors
    /// [`Error::Program`] unless it ended with status 0; [`Error::Stream`] when its stream broke.
    pub fn wait(mut self) -> Result<(), Error> {
        let (status, stderr) = self.end()?;
        if status == 0 {
            Ok(())
        } else {
            Err(Error::Program {
                program: self.name.clone(),
                status,
                stderr,
                language: self.language.take(),
            })
        }
    }

    /// Waits for the end of a program that closed its output, and returns what it said on stderr.
    pub(crate) fn last_words(&mut self) -> String {
        match self.end() {
            Ok((_, stderr)) => stderr,
            Err(error) => error.to_string(),
        }
    }

    fn end(&mut self) -> Result<(i64, String), Error> {
        match &mut self.running {
            Running::Host { child, stderr } => {
                let status = child.wait().map_err(|source| Error::Stream {
                    program: self.name.clone(),
                    source,
                })?;
                let stderr = stderr.take().and_then(|thread| thread.join().ok());
                let stderr = stderr.unwrap_or_default().trim().to_owned();
                let signal = status.signal().map(|signal| 128 + signal);
                let status = status.code().or(signal).unwrap_or(-1);
                Ok((status.into(), stderr))
            }
            Running::Container(exec) => {
                let end = exec.wait()?;
                Ok((end.status, end.stderr.trim().to_owned()))
            }
        }
    }

    /// Tells which error a failed read or write of this program's streams stands for: the
    /// program's own, when it ended badly, else that of the stream.
    pub fn explain(mut self, source: io::Error) -> Error {
        let program = self.name.clone();
        // A program that closed its input is about to end, and will say why. Any other failure is
        // ours, and the program may well be waiting for us to read on.
        if !matches!(
            source.kind(),
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        ) {
            self.kill();
            return Error::Stream { program, source };
        }
        match self.wait() {
            Err(error @ Error::Program { .. }) => error,
            _ => Error::Stream { program, source },
        }
    }

    fn kill(&mut self) {
        if let Running::Host { child, .. } = &mut self.running {
            // Both fail only when it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Host(stdin) => stdin.write(bytes),
            Self::Container(input) => input.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Host(stdin) => stdin.flush(),
            Self::Container(input) => input.flush(),
        }
    }
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Host(pipe) => pipe.read(buffer),
            Self::Container(output) => output.read(buffer),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const WAIT: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 250_000_000,
        };
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                // Not `Interrupted`: the standard library would try again.
                return Err(io::Error::other("told to stop"));
            }
            let mut fds = [PollFd::from_borrowed_fd(self.stdout.as_fd(), PollFlags::IN)];
            match poll(&mut fds, Some(&WAIT)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return self.stdout.read(buffer),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

fn tail(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..count]);
        if kept.len() > 2 * STDERR_BYTES {
            kept.drain(..kept.len() - STDERR_BYTES);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}
