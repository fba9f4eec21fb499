//! Feeding a dump to `pg_restore`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::call::Call;
use crate::{Error, Server};

/// What goes between a decompressor and a program at once.
const CHUNK: usize = 256 * 1024;

/// Settings of the restoring sessions. A copy that is not live yet may lose its last commits; a
/// server notices within seconds that the client died, where it can.
const OPTIONS: &str = "-c synchronous_commit=off -c maintenance_work_mem=256MB \
     -c max_parallel_maintenance_workers=1 -c statement_timeout=0";

/// Keeps the dump in an unlinked file, since parallel workers need one, then runs `pg_restore` on
/// it. What comes on stdin after the dump is the client's life: its end ends the restore.
///
/// The shell waits for all of its children: an orphan would fall to the container's first process,
/// and a postmaster that inherits one which dies of a signal ends all sessions and recovers.
const IN_CONTAINER: &str = r#"
file=$(mktemp "${TMPDIR:-/tmp}/th.XXXXXX") || exit
exec 4<>"$file" 3<&0 </dev/null
rm "$file"
head -c "$1" <&3 >&4 || exit
shift
"$@" /proc/self/fd/4 3<&- &
restore=$!
{ read -r _ <&3; kill "$restore"; } >/dev/null 2>&1 4<&- &
watcher=$!
exec 3<&- 4<&-
trap 'kill "$restore"' HUP INT TERM
wait "$restore"
status=$?
while kill -0 "$restore" 2>/dev/null; do
    wait "$restore"
    status=$?
done
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status"
"#;

/// A dump on its way to a server.
pub struct Dump<'a> {
    /// The dump, decompressed.
    pub reader: &'a mut (dyn Read + Send),
    /// Its size.
    pub bytes: u64,
    /// Told how many bytes were handed over.
    pub on_bytes: &'a mut (dyn FnMut(u64) + Send),
}

impl Server {
    /// Lets `pg_restore` parse the whole dump, without any database: it must have an end.
    ///
    /// # Errors
    /// [`Error::Program`] when it is damaged.
    pub fn decode(&self, dump: Dump<'_>) -> Result<(), Error> {
        let args = ["--file=/dev/null".to_owned()];
        let call = Call {
            program: "pg_restore",
            args: &args,
            stdin: true,
            ..Call::default()
        };
        let mut program = self.start(&call)?;
        let mut input = program.input()?;
        let poured = pour(dump, &mut input);
        drop(input);
        match poured {
            Ok(()) => program.finish(),
            Err(error) => Err(program.explain(error)),
        }
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
        if self.container().is_some() {
            self.restore_in_container(database, dump, &args, &env)
        } else {
            self.restore_on_host(Some(database), dump, args, &env, spool)
        }
    }

    fn restore_on_host(
        &self,
        database: Option<&str>,
        dump: Dump<'_>,
        mut args: Vec<String>,
        env: &[(&str, &str)],
        spool: &Path,
    ) -> Result<(), Error> {
        let stream = |source| Error::Stream {
            program: "pg_restore".to_owned(),
            source,
        };
        let mut file: File = tempfile::tempfile_in(spool).map_err(stream)?;
        pour(dump, &mut file).map_err(stream)?;
        // The workers open the file by name, and an unlinked one has this name.
        args.push(format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            file.as_raw_fd()
        ));
        let call = Call {
            program: "pg_restore",
            args: &args,
            env,
            database,
            stdin: false,
        };
        self.start(&call)?.finish()
    }

    fn restore_in_container(
        &self,
        database: &str,
        dump: Dump<'_>,
        args: &[String],
        env: &[(&str, &str)],
    ) -> Result<(), Error> {
        let mut script: Vec<String> =
            vec!["-c".to_owned(), IN_CONTAINER.to_owned(), "sh".to_owned()];
        script.push(dump.bytes.to_string());
        script.push("pg_restore".to_owned());
        script.extend_from_slice(args);
        script.extend(self.connection(database));
        let call = Call {
            program: "sh",
            args: &script,
            env,
            stdin: true,
            ..Call::default()
        };
        let mut program = self.start(&call)?;
        let mut input = program.input()?;
        if let Err(error) = pour(dump, &mut input) {
            drop(input);
            return Err(program.explain(error));
        }
        // Held open until the end: it tells the script that we live.
        let finished = program.finish();
        drop(input);
        finished
    }
}

fn pour(dump: Dump<'_>, to: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match dump.reader.read(&mut buffer)? {
            0 => return to.flush(),
            count => {
                to.write_all(&buffer[..count])?;
                (dump.on_bytes)(count as u64);
            }
        }
    }
}
