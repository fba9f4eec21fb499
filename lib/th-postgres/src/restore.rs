//! Feeding a dump to `pg_restore`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::available_parallelism;

use th_docker::WATCHDOG;

use crate::call::{Call, Script};
use crate::{Error, Output, Program, Server};

/// What goes between a decompressor and a program at once.
const CHUNK: usize = 256 * 1024;

/// The most workers that share the building of an index.
const MOST_WORKERS: usize = 2;

/// Settings of the restoring sessions: a copy that is not live yet may lose its last commits.
const OPTIONS: &str =
    "-c synchronous_commit=off -c maintenance_work_mem=256MB -c statement_timeout=0";

/// A dump on its way to a server.
pub struct Dump<'a> {
    /// The dump as `pg_dump` wrote it.
    pub plain: Stream<'a>,
    /// The same compressed by zstd, if it is stored so: a container that has zstd is given this.
    pub zstd: Option<Stream<'a>>,
    /// How many bytes of both are no dump: its table of contents with the places of the data, which
    /// stands after it.
    pub toc_bytes: u64,
    /// Told how many bytes were handed over, of those before compression: in the end, of all.
    pub on_bytes: &'a mut (dyn FnMut(u64) + Send),
}

/// How a dump is restored.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// With how many sessions.
    pub jobs: usize,
    /// One table alone, `(schema, table)`.
    pub only: Option<(&'a str, &'a str)>,
    /// Whether each table goes to the tablespace it was in, or all to the database's own.
    pub tablespaces: bool,
}

/// Bytes, and how many there are.
pub struct Stream<'a> {
    /// Gives the bytes.
    pub reader: &'a mut (dyn Read + Send),
    /// Their number.
    pub bytes: u64,
}

impl Server {
    /// Lets `pg_restore` parse the whole dump, without any database: it must have an end.
    ///
    /// # Errors
    /// [`Error::Program`] when it is damaged.
    pub fn decode(&self, dump: Dump<'_>) -> Result<(), Error> {
        const SCRIPT: &str = include_str!("sh/decode.sh");
        let script = dump.zstd.is_some() && self.container().is_some();
        let args = ["--file=/dev/null".to_owned()];
        let mut program = self.start(&Call {
            script: script.then_some(Script {
                text: SCRIPT,
                args: &[],
            }),
            program: "pg_restore",
            args: &args,
            stdin: true,
            ..Call::default()
        })?;
        let mut input = program.input()?;
        let mut output = program.output()?;
        let poured = if script {
            pour_as_told(dump, &mut output, &mut input)
        } else {
            dump.pour_plain(&mut input)
        };
        drop(input);
        end(program, output, poured)
    }

    /// Restores the dump into the empty `database`. On the host the dump is spooled to an unlinked
    /// file in `spool`.
    ///
    /// # Errors
    /// [`Error::Program`] at the first statement that fails.
    pub fn restore(
        &self,
        database: &str,
        dump: Dump<'_>,
        Manner {
            jobs,
            only,
            tablespaces,
        }: Manner<'_>,
        spool: &Path,
    ) -> Result<(), Error> {
        let mut args = vec!["--exit-on-error".to_owned(), "--no-password".to_owned()];
        match only {
            // There may be more in the database, which must not end up with half of a table.
            Some((schema, table)) => args.extend([
                "--single-transaction".to_owned(),
                format!("--schema={schema}"),
                format!("--table={table}"),
            ]),
            None => args.push(format!("--jobs={jobs}")),
        }
        if !tablespaces {
            args.push("--no-tablespaces".to_owned());
        }
        // Sessions that build indexes share one with workers of their own only where processors
        // are left for them.
        let spare = available_parallelism().map_or(1, usize::from);
        let spare = spare.saturating_sub(jobs).min(MOST_WORKERS);
        let mut options = format!("{OPTIONS} -c max_parallel_maintenance_workers={spare}");
        if self.major() >= 14 {
            // It notices within seconds that the client died.
            options += " -c client_connection_check_interval=2s";
        }
        let options = self.options(&options);
        let env = [("PGOPTIONS", options.as_str())];
        let call = Call {
            program: "pg_restore",
            args: &args,
            env: &env,
            database: Some(database),
            ..Call::default()
        };
        if self.container().is_some() {
            self.restore_in_container(dump, call)
        } else {
            self.restore_on_host(dump, call, spool)
        }
    }

    fn restore_on_host(&self, dump: Dump<'_>, call: Call<'_>, spool: &Path) -> Result<(), Error> {
        let stream = |source| Error::Stream {
            program: call.program.to_owned(),
            source,
        };
        let mut file: File = tempfile::tempfile_in(spool).map_err(stream)?;
        let (bytes, toc_bytes) = (dump.plain.bytes, dump.toc_bytes);
        dump.pour_plain(&mut file).map_err(stream)?;
        lay_over(&file, bytes, toc_bytes).map_err(stream)?;
        let mut args = call.args.to_vec();
        // The workers open the file by name, and an unlinked one has this name.
        args.push(format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            file.as_raw_fd()
        ));
        self.start(&Call {
            args: &args,
            ..call
        })?
        .finish()
    }

    fn restore_in_container(&self, dump: Dump<'_>, call: Call<'_>) -> Result<(), Error> {
        let script = [include_str!("sh/restore.sh"), WATCHDOG].concat();
        let zstd = dump.zstd.as_ref().map_or(0, |stream| stream.bytes);
        let sizes = [dump.plain.bytes, zstd, dump.toc_bytes].map(|bytes| bytes.to_string());
        let mut program = self.start(&Call {
            script: Some(Script {
                text: &script,
                args: &sizes,
            }),
            stdin: true,
            ..call
        })?;
        let mut input = program.input()?;
        let mut output = program.output()?;
        let poured = pour_as_told(dump, &mut output, &mut input);
        if poured.is_err() {
            drop(input);
            return end(program, output, poured);
        }
        // Held open until the end: it tells the script that we live.
        let ended = end(program, output, poured);
        drop(input);
        ended
    }
}

impl Dump<'_> {
    fn pour_plain(self, to: &mut dyn Write) -> io::Result<()> {
        let total = self.plain.bytes;
        pour(self.plain, total, self.on_bytes, to)
    }

    fn pour_zstd(self, to: &mut dyn Write) -> io::Result<()> {
        let total = self.plain.bytes;
        match self.zstd {
            Some(zstd) => pour(zstd, total, self.on_bytes, to),
            None => Err(io::Error::other("the dump is not compressed by zstd")),
        }
    }
}

/// Lays the table of contents, which is the end of the file, over the one that it begins with.
fn lay_over(file: &File, bytes: u64, toc_bytes: u64) -> io::Result<()> {
    let mut toc = vec![0; toc_bytes as usize];
    file.read_exact_at(&mut toc, bytes - toc_bytes)?;
    file.write_all_at(&toc, 0)
}

/// Pours what the script asks for in the first line of its output.
fn pour_as_told(dump: Dump<'_>, output: &mut Output, input: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    // What it reads beyond the line is of no use to anyone.
    BufReader::new(output).read_until(b'\n', &mut line)?;
    match line.as_slice() {
        b"zstd\n" => dump.pour_zstd(input),
        b"plain\n" => dump.pour_plain(input),
        // It ended before it could ask, and has said why.
        _ => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// Pours the stream, which stands for `total` bytes before compression.
fn pour(
    stream: Stream<'_>,
    total: u64,
    on_bytes: &mut dyn FnMut(u64),
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    let (mut poured, mut told) = (0, 0);
    loop {
        match stream.reader.read(&mut buffer)? {
            0 => {
                to.flush()?;
                on_bytes(total.saturating_sub(told));
                return Ok(());
            }
            count => {
                to.write_all(&buffer[..count])?;
                poured += count as u64;
                let share = poured.min(stream.bytes) as f64 / stream.bytes as f64;
                let now = (total as f64 * share) as u64;
                on_bytes(now.saturating_sub(told));
                told = told.max(now);
            }
        }
    }
}

/// Reads what is left of the output and waits for the program.
fn end(program: Program, mut output: Output, poured: io::Result<()>) -> Result<(), Error> {
    match poured.and_then(|()| io::copy(&mut output, &mut io::sink())) {
        Ok(_) => program.wait(),
        Err(error) => Err(program.explain(error)),
    }
}
