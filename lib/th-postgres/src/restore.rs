//! Feeding a dump to `pg_restore`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::call::{Call, Script};
use crate::{Error, Output, Program, Server};

/// What goes between a decompressor and a program at once.
const CHUNK: usize = 256 * 1024;

/// Settings of the restoring sessions. A copy that is not live yet may lose its last commits; a
/// server notices within seconds that the client died, where it can.
const OPTIONS: &str = "-c synchronous_commit=off -c maintenance_work_mem=256MB \
     -c max_parallel_maintenance_workers=1 -c statement_timeout=0";

/// A dump on its way to a server.
pub struct Dump<'a> {
    /// The dump as `pg_dump` wrote it.
    pub plain: Stream<'a>,
    /// The same compressed by zstd, if it is stored so: a container that has zstd is given this.
    pub zstd: Option<Stream<'a>>,
    /// Told how many bytes were handed over, of those before compression.
    pub on_bytes: &'a mut (dyn FnMut(u64) + Send),
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

    /// Restores the dump into the empty `database` with `jobs` sessions. `only` restricts it to
    /// one table, `(schema, table)`. On the host the dump is spooled to an unlinked file in
    /// `spool`.
    ///
    /// # Errors
    /// [`Error::Program`] at the first statement that fails.
    pub fn restore(
        &self,
        database: &str,
        dump: Dump<'_>,
        jobs: usize,
        only: Option<(&str, &str)>,
        spool: &Path,
    ) -> Result<(), Error> {
        let mut args = vec![
            "--exit-on-error".to_owned(),
            "--no-password".to_owned(),
            format!("--jobs={jobs}"),
        ];
        if let Some((schema, table)) = only {
            args.extend([format!("--schema={schema}"), format!("--table={table}")]);
        }
        let checked = format!("{OPTIONS} -c client_connection_check_interval=2s");
        let options = if self.major() >= 14 {
            &checked
        } else {
            OPTIONS
        };
        let env = [("PGOPTIONS", options)];
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
        dump.pour_plain(&mut file).map_err(stream)?;
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
        const SCRIPT: &str = include_str!("sh/restore.sh");
        let zstd = dump.zstd.as_ref().map_or(0, |stream| stream.bytes);
        let sizes = [dump.plain.bytes, zstd].map(|bytes| bytes.to_string());
        let mut program = self.start(&Call {
            script: Some(Script {
                text: SCRIPT,
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
    loop {
        match stream.reader.read(&mut buffer)? {
            0 => return to.flush(),
            count => {
                to.write_all(&buffer[..count])?;
                on_bytes((count as f64 * total as f64 / stream.bytes as f64) as u64);
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
