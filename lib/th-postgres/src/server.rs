//! A PostgreSQL server, and how its client programs are run.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use th_config::Secret;
use th_docker::{Container, Docker, ExecSpec};
use th_record::{Fingerprint, Image};

use crate::program::Program;

use crate::quote::identifier;
use crate::session::Session;
use crate::url::Url;
use crate::{Error, Facts, fingerprint};

/// The oldest server major version whose catalogs the queries here fit.
const OLDEST: u32 = 12;

/// A server that answered. Clones share nothing but the address.
#[derive(Debug, Clone)]
pub struct Server {
    place: Place,
    /// The database that the address or the container names, else the role's name.
    database: String,
    application: String,
    version_num: u32,
    cancel: Arc<AtomicBool>,
}

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
}

#[derive(serde::Deserialize)]
struct Answer {
    answer: Option<String>,
}

#[derive(Debug, Clone)]
enum Place {
    Host {
        url: Url,
        user: Option<String>,
    },
    Container {
        docker: Docker,
        container: Container,
        user: String,
        password: Option<Secret>,
    },
}

impl Server {
    /// Finds the server of `target` and asks for its version. `application` is what the server
    /// shows of our sessions; `cancel` ends every program and session of this server.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::NoDatabase`], [`Error::OldClient`], [`Error::OldServer`], or
    /// one of Docker.
    pub fn connect(
        target: &th_config::Database,
        application: &str,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let (place, database) = Self::place(target)?;
        let server = Self {
            place,
            database: database.unwrap_or_default(),
            application: application.to_owned(),
            version_num: 0,
            cancel,
        };
        server.greet()
    }

    /// As [`Server::connect`], but the database need not be there: it may be what is to be restored.
    ///
    /// # Errors
    /// As [`Server::connect`], and [`Error::Url`] when nothing names the database.
    pub fn connect_to_cluster(
        target: &th_config::Database,
        application: &str,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let server = match Self::connect(target, application, Arc::clone(&cancel)) {
            Err(Error::NoDatabase { .. }) => {
                let elsewhere = th_config::Database {
                    name: Some("postgres".to_owned()),
                    ..target.clone()
                };
                let server = Self::connect(&elsewhere, application, cancel)?;
                let named = Self::place(target)?.1.filter(|name| !name.is_empty());
                let database = named.ok_or(Error::Url("names no database"))?;
                Self { database, ..server }
            }
            other => other?,
        };
        Ok(server)
    }

    /// Uses the server in a container that was started for the purpose.
    ///
    /// # Errors
    /// As [`Server::connect`].
    pub fn in_scratch(
        docker: Docker,
        container: Container,
        like: &Self,
        user: &str,
    ) -> Result<Self, Error> {
        let place = Place::Container {
            docker,
            container,
            user: user.to_owned(),
            password: None,
        };
        let server = Self {
            place,
            database: "postgres".to_owned(),
            ..like.clone()
        };
        server.greet()
    }

    /// Returns where the server of `target` is, and the database that the address names.
    fn place(target: &th_config::Database) -> Result<(Place, Option<String>), Error> {
        Ok(match &target.server {
            th_config::Server::Url(url) => {
                let url = Url::parse(url)?;
                let database = target.name.clone().or_else(|| url.database.clone());
                (
                    Place::Host {
                        url,
                        user: target.user.clone(),
                    },
                    database,
                )
            }
            th_config::Server::Container(name) => {
                let docker = Docker::connect()?;
                let container = docker.container(name)?;
                Self::in_container(docker, container, target)
            }
            th_config::Server::Compose { project, service } => {
                let docker = Docker::connect()?;
                let container = docker.compose_container(project, service)?;
                Self::in_container(docker, container, target)
            }
        })
    }

    fn in_container(
        docker: Docker,
        container: Container,
        target: &th_config::Database,
    ) -> (Place, Option<String>) {
        let variable = |name: &str| container.variable(name).map(str::to_owned);
        let user = target
            .user
            .clone()
            .or_else(|| variable("POSTGRES_USER"))
            .unwrap_or_else(|| "postgres".to_owned());
        let database = target.name.clone().or_else(|| variable("POSTGRES_DB"));
        let database = database.or_else(|| Some(user.clone()));
        let password = variable("POSTGRES_PASSWORD").map(Secret::new);
        (
            Place::Container {
                docker,
                container,
                user,
                password,
            },
            database,
        )
    }

    /// Asks for the version and, when no database is named, for the one we landed in.
    fn greet(mut self) -> Result<Self, Error> {
        #[derive(serde::Deserialize)]
        struct Greeting {
            database: String,
            version: u32,
        }
        let mut session = Session::open(&self, &self.database)?;
        let greeting: Greeting = session.one(
            "SELECT current_database() AS database, \
             current_setting('server_version_num')::int AS version",
        )?;
        session.close()?;
        self.database = greeting.database;
        self.version_num = greeting.version;
        if self.major() < OLDEST {
            return Err(Error::OldServer(self.major()));
        }
        Ok(self)
    }

    /// Returns the server's major version.
    pub fn major(&self) -> u32 {
        self.version_num / 10_000
    }

    /// Returns the name of the database that was asked for.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Returns the Docker engine and the container, when the server is in one.
    pub fn container(&self) -> Option<(&Docker, &Container)> {
        match &self.place {
            Place::Host { .. } => None,
            Place::Container {
                docker, container, ..
            } => Some((docker, container)),
        }
    }

    /// Returns the image of the server's container, when it is in one.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn image(&self) -> Result<Option<Image>, Error> {
        let Some((docker, container)) = self.container() else {
            return Ok(None);
        };
        let digest = docker.image_digest(&container.image_id)?;
        let (name, id) = (container.image_name.clone(), container.image_id.clone());
        Ok(Some(Image { name, id, digest }))
    }

    /// Opens a session on `database`.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::NoDatabase`].
    pub fn session(&self, database: &str) -> Result<Session, Error> {
        Session::open(self, database)
    }

    /// Returns the fingerprint of `database` as it is now; for one that nobody else changes.
    ///
    /// # Errors
    /// Those of the session.
    pub fn fingerprint(
        &self,
        database: &str,
        on_table: &mut dyn FnMut(&str),
    ) -> Result<Fingerprint, Error> {
        let mut session = self.session(database)?;
        session.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;")?;
        let fingerprint = fingerprint::take(&mut session, on_table)?;
        session.close()?;
        Ok(fingerprint)
    }

    /// Returns what `database` is made of.
    ///
    /// # Errors
    /// Those of the session.
    pub fn facts(&self, database: &str) -> Result<Facts, Error> {
        Facts::read(&mut self.session(database)?)
    }

    /// Creates a schema in `database`, if it is not there.
    ///
    /// # Errors
    /// Those of the session.
    pub fn create_schema(&self, database: &str, schema: &str) -> Result<(), Error> {
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {};", identifier(schema));
        self.session(database)?.execute(&sql)
    }

    /// Returns the server's data directory and how many bytes are free there; `None` when this host
    /// or this role cannot tell.
    ///
    /// # Errors
    /// Those of the session and of Docker.
    pub fn data_space(&self) -> Result<Option<(String, u64)>, Error> {
        let path = match self.admin()?.setting("data_directory") {
            Err(Error::Sql { .. }) => return Ok(None),
            other => other?,
        };
        let free = match &self.place {
            Place::Host { url, .. } if url.is_local() => rustix::fs::statvfs(path.as_str())
                .ok()
                .map(|stat| stat.f_bavail * stat.f_frsize),
            Place::Host { .. } => None,
            Place::Container { .. } => {
                let args = ["-Pk".to_owned(), path.clone()];
                let call = Call {
                    program: "df",
                    args: &args,
                    ..Call::default()
                };
                let mut program = self.start(&call)?;
                let mut text = String::new();
                match program.output()?.read_to_string(&mut text) {
                    Ok(_) => program.wait()?,
                    Err(error) => return Err(program.explain(error)),
                }
                // The second line: file system, size, used, available.
                let available = text
                    .lines()
                    .nth(1)
                    .and_then(|line| line.split_whitespace().nth(3));
                available
                    .and_then(|kib| kib.parse::<u64>().ok())
                    .map(|kib| kib * 1024)
            }
        };
        Ok(free.map(|free| (path, free)))
    }

    /// Returns the first column of the first row of `query` as text; `None` when there is no row,
    /// or it is null.
    ///
    /// # Errors
    /// Those of the session.
    pub fn ask(&self, database: &str, query: &str) -> Result<Option<String>, Error> {
        let mut session = self.session(database)?;
        session.execute("RESET search_path;")?;
        let query = query.trim().trim_end_matches(';');
        // The column list names the first column only, whatever the others are.
        let answers: Vec<Answer> = session.all(&format!(
            "SELECT answer::text AS answer FROM (\n{query}\n) q (answer) LIMIT 1"
        ))?;
        Ok(answers
            .into_iter()
            .next()
            .and_then(|Answer { answer }| answer))
    }

    /// Checks that the host's `program` is not older than the server. A container's own always fits.
    ///
    /// # Errors
    /// [`Error::OldClient`], [`Error::Start`].
    pub fn check_client(&self, program: &str) -> Result<(), Error> {
        if self.container().is_some() {
            return Ok(());
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
        let client = text
            .split_whitespace()
            .find_map(|word| word.split('.').next()?.parse::<u32>().ok())
            .unwrap_or_default();
        if client < self.major() {
            let program = program.to_owned();
            return Err(Error::OldClient {
                program,
                client,
                server: self.major(),
            });
        }
        Ok(())
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
        } = call;
        let connection = database
            .map(|name| self.connection(name))
            .unwrap_or_default();
        match &self.place {
            Place::Host { url, .. } => {
                let mut command = Command::new(self.host_program(program));
                command.args(*args).args(connection);
                command
                    .env("PGAPPNAME", &self.application)
                    .envs(env.iter().copied());
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
                Ok(Program::host(program, child, Arc::clone(&self.cancel)))
            }
            Place::Container {
                docker,
                container,
                password,
                ..
            } => {
                let mut cmd = vec![(*program).to_owned()];
                cmd.extend_from_slice(args);
                cmd.extend(connection);
                let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                let mut env: Vec<_> = env.iter().copied().map(owned).collect();
                env.push(owned(("PGAPPNAME", &self.application)));
                env.extend(password.iter().map(|it| owned(("PGPASSWORD", it.expose()))));
                let spec = ExecSpec {
                    cmd,
                    env,
                    user: None,
                    stdin: *stdin,
                };
                let exec = docker.exec(&container.id, &spec, Arc::clone(&self.cancel))?;
                Ok(Program::container(program, exec))
            }
        }
    }

    /// Returns the arguments by which a client program connects to `database`.
    pub(crate) fn connection(&self, database: &str) -> Vec<String> {
        let (user, database) = match &self.place {
            Place::Host { url, user } => (user.as_ref(), url.of(database)),
            Place::Container { user, .. } => {
                // pg_dumpall takes no bare name, but all of them take a connection string.
                let name = database.replace('\\', "\\\\").replace('\'', "\\'");
                (Some(user), format!("dbname='{name}'"))
            }
        };
        let user = user.map(|user| format!("--username={user}"));
        user.into_iter()
            .chain([format!("--dbname={database}")])
            .collect()
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

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Host { url, .. } => write!(f, "{url}"),
            Place::Container { container, .. } => write!(f, "container {}", container.name),
        }
    }
}
