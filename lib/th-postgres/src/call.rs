//! Running client programs: the host's, or those of the server's container.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use th_docker::ExecSpec;

use crate::program::Program;
use crate::server::Place;
use crate::{Error, Server};

/// What programs themselves say of their trouble is looked at, in English.
const PLAIN: (&str, &str) = ("LC_ALL", "C");

/// The first major version that knows `transaction_timeout`.
const TRANSACTION_TIMEOUT: u32 = 17;

/// A client program, and what to start it with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// The program.
    pub program: &'a str,
    /// Its arguments, without those to connect.
    pub args: &'a [String],
    /// Variables on top of what is needed to connect.
    pub env: &'a [(&'a str, &'a str)],
    /// The database to connect to; `None` for a program that does not connect.
    pub database: Option<&'a str>,
    /// Whether the program reads stdin.
    pub stdin: bool,
    /// What runs the program where that is in a container; unused on the host.
    pub script: Option<Script<'a>>,
}

/// A script for `sh`, which runs the program that its last arguments name.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    /// The script.
    pub text: &'a str,
    /// Its arguments before the program.
    pub args: &'a [String],
}

impl Server {
    /// Checks that the host's `program` is not older than the server. A container's own always fits.
    ///
    /// # Errors
    /// [`Error::OldClient`], [`Error::Start`].
    pub fn check_client(&self, program: &str) -> Result<(), Error> {
        self.client(program).map(drop)
    }

    /// As [`Server::check_client`], of the host's `pg_restore`, which must not be too new either.
    ///
    /// # Errors
    /// [`Error::NewClient`], and those of [`Server::check_client`].
    pub fn check_restorer(&self) -> Result<(), Error> {
        match self.client("pg_restore")? {
            Some(client) if is_too_new(client, self.major()) => Err(Error::NewClient {
                client,
                server: self.major(),
            }),
            _ => Ok(()),
        }
    }

    /// Returns the major version of the host's `program`, which is not older than the server;
    /// `None` when a container has its own.
    fn client(&self, program: &str) -> Result<Option<u32>, Error> {
        if self.container().is_some() {
            return Ok(None);
        }
        let start = |source| Error::Start {
            program: program.to_owned(),
            source,
        };
        let output = Command::new(self.host_program(program))
            .arg("--version")
            .output()
            .map_err(start)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let client = text.split_whitespace().find_map(major).unwrap_or_default();
        if client < self.major() {
            let program = program.to_owned();
            return Err(Error::OldClient {
                program,
                client,
                server: self.major(),
            });
        }
        Ok(Some(client))
    }

    /// Starts a client program.
    ///
    /// # Errors
    /// [`Error::Start`], or one of Docker.
    pub fn start(&self, call: &Call<'_>) -> Result<Program, Error> {
        let Call {
            program,
            args,
            env,
            database,
            stdin,
            script,
        } = call;
        let connection = database
            .map(|name| self.connection(name))
            .unwrap_or_default();
        let language = database.and_then(|_| self.foreign_language());
        match &self.place {
            Place::Host { url } => {
                let mut command = Command::new(self.host_program(program));
                command.args(*args).args(connection);
                command
                    .env("PGAPPNAME", &self.application)
                    .envs([PLAIN].into_iter().chain(env.iter().copied()));
                if let Some(password) = &url.password {
                    command.env("PGPASSWORD", password.expose());
                }
                command.stdin(if *stdin {
                    Stdio::piped()
                } else {
                    Stdio::null()
                });
                let child = command
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .map_err(|source| Error::Start {
                        program: (*program).to_owned(),
                        source,
                    })?;
                let program = Program::host(program, child, Arc::clone(&self.cancel));
                Ok(program.answered_in(language))
            }
            Place::Container {
                docker,
                container,
                password,
                ..
            } => {
                let mut cmd = Vec::new();
                if let Some(Script { text, args }) = script {
                    cmd.extend(["sh", "-c", text, "sh"].map(str::to_owned));
                    cmd.extend_from_slice(args);
                }
                cmd.push((*program).to_owned());
                cmd.extend_from_slice(args);
                cmd.extend(connection);
                let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                let mut env: Vec<_> = env.iter().copied().map(owned).collect();
                env.extend([PLAIN, ("PGAPPNAME", &self.application)].map(owned));
                env.extend(password.iter().map(|it| owned(("PGPASSWORD", it.expose()))));
                let spec = ExecSpec {
                    cmd,
                    env,
                    user: None,
                    stdin: *stdin,
                };
                let exec = docker.exec(&container.id, &spec, Arc::clone(&self.cancel))?;
                Ok(Program::container(program, exec).answered_in(language))
            }
        }
    }

    /// Returns the arguments by which a client program connects to `database`.
    pub(crate) fn connection(&self, database: &str) -> Vec<String> {
        match &self.place {
            Place::Host { url } => vec![format!("--dbname={}", url.of(database))],
            Place::Container { user, .. } => {
                // pg_dumpall takes no bare name, but all of them take a connection string.
                let name = database.replace('\\', "\\\\").replace('\'', "\\'");
                vec![
                    format!("--username={user}"),
                    format!("--dbname=dbname='{name}'"),
                ]
            }
        }
    }

    /// Returns the host's program for this server: Debian keeps one directory a major version.
    fn host_program(&self, name: &str) -> std::path::PathBuf {
        let debian = Path::new("/usr/lib/postgresql")
            .join(self.major().to_string())
            .join("bin");
        let path = debian.join(name);
        if path.exists() { path } else { name.into() }
    }
}

/// Tells whether a `pg_restore` begins with a setting that the server does not know: from 17 on it
/// sets `transaction_timeout`, and has no option not to.
fn is_too_new(client: u32, server: u32) -> bool {
    client >= TRANSACTION_TIMEOUT && server < TRANSACTION_TIMEOUT
}

/// Returns the major version that a word like `17.2` or `18beta1` begins with.
fn major(word: &str) -> Option<u32> {
    let digits = word.find(|c: char| !c.is_ascii_digit());
    word[..digits.unwrap_or(word.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_version_that_is_not_out_yet_is_one_too() {
        let words = [
            "(PostgreSQL)",
            "pg_dump",
            "15.14",
            "18beta1",
            "19devel",
            "9",
        ];
        let found: Vec<u32> = words.into_iter().filter_map(super::major).collect();
        assert_eq!(found, [15, 18, 19, 9]);
    }

    #[test]
    fn a_pg_restore_of_17_is_too_new_for_any_server_before() {
        let too_new = |(client, server)| super::is_too_new(client, server);
        assert!([(17, 16), (18, 12)].into_iter().all(too_new));
        assert!(![(16, 12), (17, 17), (18, 17)].into_iter().any(too_new));
    }
}
