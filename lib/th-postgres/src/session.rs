//! A session with a server, through `psql`.
//!
//! One client for both kinds of server: a container's own `psql` needs no network and no password,
//! and the session can hold the snapshot that the container's own `pg_dump` uses. Every answer is
//! rows of JSON, so nothing depends on how `psql` prints a table.

use std::io::{self, BufRead, BufReader, Write};

use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::program::{Input, Output, Program};
use crate::{Error, Server};

/// What ends an answer. No JSON text begins with it.
const END: &str = "\u{1}th";

/// Settings that make text and hashes comparable between servers.
const SETTINGS: &str = "SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; \
     SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex'; \
     SET xmloption = 'content'; SET row_security = off; SET statement_timeout = 0; \
     SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
     SET default_transaction_read_only = off;";

/// An open session.
#[derive(Debug)]
pub struct Session {
    program: Program,
    input: Input,
    output: BufReader<Output>,
    line: Vec<u8>,
}

impl Session {
    pub(crate) fn open(server: &Server, database: &str) -> Result<Self, Error> {
        let args = [
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--no-password",
        ]
        .map(str::to_owned);
        let mut program = server.start(&Call {
            program: "psql",
            args: &args,
            env: &[("PGCLIENTENCODING", "UTF8"), ("PGCONNECT_TIMEOUT", "15")],
            database: Some(database),
            stdin: true,
            script: None,
        })?;
        let input = program.input()?;
        let output = BufReader::new(program.output()?);
        let mut session = Self {
            program,
            input,
            output,
            line: Vec::new(),
        };
        match session.execute(SETTINGS) {
            Ok(()) => Ok(session),
            // psql itself ends when it cannot connect.
            Err(Error::Lost(message)) => Err(Error::Connect {
                server: server.to_string(),
                message: message
                    .trim()
                    .trim_start_matches("psql: error: ")
                    .to_owned(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Runs statements that return no rows.
    ///
    /// # Errors
    /// [`Error::Sql`] with the last failure; [`Error::Lost`].
    pub fn execute(&mut self, sql: &str) -> Result<(), Error> {
        self.send(sql)?;
        self.receive(|_| Ok(()))
    }

    /// Returns all rows of `query`, which is a `SELECT` without a final semicolon.
    ///
    /// # Errors
    /// [`Error::Sql`], [`Error::Lost`], [`Error::Answer`].
    pub fn all<T: DeserializeOwned>(&mut self, query: &str) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        // JSON text has no newlines, so that each row is a line. The newline ends a `--` comment.
        self.send(&format!("SELECT row_to_json(q) FROM (\n{query}\n) q;"))?;
        self.receive(|line| {
            rows.push(serde_json::from_slice(line).map_err(Error::Answer)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Returns the only row of `query`.
    ///
    /// # Errors
    /// As [`Session::all`]; no row, or two, is [`Error::Answer`].
    pub fn one<T: DeserializeOwned>(&mut self, query: &str) -> Result<T, Error> {
        let mut rows = self.all(query)?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            _ => Err(Error::Answer(serde::de::Error::custom(
                "not exactly one row",
            ))),
        }
    }

    /// Calls `row` for each row of `query`, as they come: memory does not grow with their number. A
    /// query that fails after its first row ends the session.
    ///
    /// # Errors
    /// As [`Session::all`], and those of `row`.
    pub fn each<T: DeserializeOwned>(
        &mut self,
        query: &str,
        mut row: impl FnMut(T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // COPY streams, where psql gathers the result of a SELECT. Neither quote nor delimiter can
        // occur in JSON text, so CSV leaves every line as it is.
        //
        // When a COPY fails that has begun, psql up to 16 leaves the variables as they were, and
        // later ones do not set SQLSTATE: so a failure is what they say beforehand.
        self.send(&format!(
            "\\set VERBOSITY verbose\n\\set ERROR true\n\\set SQLSTATE ''\n\
             COPY (SELECT row_to_json(q) FROM (\n{query}\n) q) TO STDOUT \
             WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02');"
        ))?;
        match self.receive(|line| row(serde_json::from_slice(line).map_err(Error::Answer)?)) {
            Err(Error::Sql { sqlstate, .. }) if sqlstate.is_empty() => Err(self.cut_off()),
            other => other,
        }
    }

    /// Returns why a COPY ended that had begun, which only stderr tells.
    fn cut_off(&mut self) -> Error {
        // It ends, or has ended.
        let _ = self.input.write_all(b"\\q\n");
        let _ = self.input.flush();
        let _ = io::copy(&mut self.output, &mut io::sink());
        refusal(&self.program.last_words())
    }

    /// Ends the session, and with it what it holds.
    ///
    /// # Errors
    /// [`Error::Program`] when `psql` complains.
    pub fn close(self) -> Result<(), Error> {
        let Self {
            program,
            input,
            mut output,
            ..
        } = self;
        drop(input);
        let _ = io::copy(&mut output, &mut io::sink());
        program.wait()
    }

    fn send(&mut self, sql: &str) -> Result<(), Error> {
        // The second line is the server's message, which may itself have lines.
        let framed = format!(
            "{sql}\n\\echo '{END}' :ERROR :SQLSTATE\n\
             \\if :ERROR\n\\echo :LAST_ERROR_MESSAGE\n\\endif\n\\echo '{END}'\n"
        );
        match self
            .input
            .write_all(framed.as_bytes())
            .and_then(|()| self.input.flush())
        {
            // The reason, if psql has one, comes with the answer that does not come.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stream {
                program: "psql".to_owned(),
                source: error,
            }),
            _ => Ok(()),
        }
    }

    fn receive(&mut self, mut row: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut refused = Ok(());
        let status = loop {
            let line = self.next_line()?;
            match line.strip_prefix(END.as_bytes()) {
                Some(status) => break String::from_utf8_lossy(status).trim().to_owned(),
                None if refused.is_ok() && !line.is_empty() => refused = row(line),
                None => {}
            }
        };
        let mut message = Vec::new();
        loop {
            let line = self.next_line()?;
            if line == END.as_bytes() {
                break;
            }
            message.extend_from_slice(line);
            message.push(b'\n');
        }
        let (failed, sqlstate) = status.split_once(' ').unwrap_or((&status, ""));
        if failed == "true" {
            Err(Error::Sql {
                sqlstate: sqlstate.to_owned(),
                message: String::from_utf8_lossy(&message).trim().to_owned(),
            })
        } else {
            refused
        }
    }

    /// Returns the next line without its newline.
    fn next_line(&mut self) -> Result<&[u8], Error> {
        self.line.clear();
        match self.output.read_until(b'\n', &mut self.line) {
            Ok(0) => Err(Error::Lost(self.program.last_words())),
            Ok(_) => Ok(self.line.strip_suffix(b"\n").unwrap_or(&self.line)),
            Err(source) => Err(Error::Stream {
                program: "psql".to_owned(),
                source,
            }),
        }
    }
}

/// Reads the last error of `stderr`: `ERROR:  22012: division by zero`, the first word in the server's
/// language, and lines that say more.
fn refusal(stderr: &str) -> Error {
    let coded = |line: &'_ str| {
        let (_, rest) = line.split_once(":  ")?;
        let (sqlstate, message) = rest.split_once(": ")?;
        let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        (sqlstate.len() == 5 && sqlstate.chars().all(is_code))
            .then(|| (sqlstate.to_owned(), message.to_owned()))
    };
    let (sqlstate, message) = stderr
        .lines()
        .rev()
        .find_map(coded)
        .unwrap_or_else(|| ("XX000".to_owned(), stderr.to_owned()));
    Error::Sql { sqlstate, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_by_its_code_in_any_language() {
        let read = |stderr| match refusal(stderr) {
            Error::Sql { sqlstate, message } => (sqlstate, message),
            other => panic!("{other}"),
        };
        let english =
            "NOTICE:  00000: one\nERROR:  22012: division by zero\nLOCATION:  int4div, int.c:846";
        assert_eq!(read(english), ("22012".into(), "division by zero".into()));
        let german = "FEHLER:  42P01: Relation »t« existiert nicht\nORT:  x, y.c:1";
        assert_eq!(read(german).0, "42P01");
        assert_eq!(read("it ended"), ("XX000".into(), "it ended".into()));
    }
}
