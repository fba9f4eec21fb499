//! A PostgreSQL server, and how its client programs are run.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use th_config::Secret;
use th_docker::{Container, Docker};
use th_record::Image;

use crate::Error;
use crate::session::Session;
use crate::url::Url;

/// The oldest server major version whose catalogs the queries here fit.
const OLDEST: u32 = 12;

/// A server that answered. Clones share nothing but the address.
#[derive(Debug, Clone)]
pub struct Server {
    pub(crate) place: Place,
    /// The database that the address or the container names, else the role's name.
    database: String,
    pub(crate) application: String,
    version_num: u32,
    /// The language that the server answers in.
    pub(crate) lc_messages: String,
    /// Whether the role may choose another.
    pub(crate) is_superuser: bool,
    pub(crate) cancel: Arc<AtomicBool>,
}

#[derive(Debug, Clone)]
pub(crate) enum Place {
    Host {
        url: Url,
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
    /// [`Error::Connect`], [`Error::NoDatabase`], [`Error::Closed`], [`Error::OldServer`], or one of
    /// Docker.
    pub fn connect(
        target: &th_config::Database,
        application: &str,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        Self::unasked(target, application, cancel)?.greet()
    }

    /// As [`Server::connect`], but the database need not be there, nor let anybody in: it may be what
    /// is to be restored.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::OldServer`], or one of Docker.
    pub fn connect_to_cluster(
        target: &th_config::Database,
        application: &str,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let server = Self::unasked(target, application, cancel)?;
        match server.session(&server.database) {
            Err(Error::NoDatabase { .. } | Error::Closed { .. }) => {
                let database = server.database.clone();
                let session = server.admin()?.session;
                Ok(Self {
                    database,
                    ..server.greet_in(session)?
                })
            }
            session => server.greet_in(session?),
        }
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

    /// Returns the server of `target`, of which no more is known than where it is.
    fn unasked(
        target: &th_config::Database,
        application: &str,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let (place, database) = Self::place(target)?;
        Ok(Self {
            place,
            database: database.unwrap_or_default(),
            application: application.to_owned(),
            version_num: 0,
            lc_messages: String::new(),
            is_superuser: false,
            cancel,
        })
    }

    /// Returns where the server of `target` is, and the database that the address names.
    fn place(target: &th_config::Database) -> Result<(Place, Option<String>), Error> {
        Ok(match &target.server {
            th_config::Server::Url(url) => {
                let url = Url::parse(url)?;
                let database = target.name.clone().or_else(|| url.database.clone());
                let url = match &target.user {
                    Some(user) => url.with_user(user),
                    None => url,
                };
                (Place::Host { url }, database)
            }
            th_config::Server::Container(name) => {
                let docker = Docker::connect()?;
                let container = docker.running_container(name)?;
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

    fn greet(self) -> Result<Self, Error> {
        let session = self.session(&self.database)?;
        self.greet_in(session)
    }

    /// Asks for the version, the language, and the database that we landed in, which need not be
    /// named.
    fn greet_in(self, mut session: Session) -> Result<Self, Error> {
        #[derive(serde::Deserialize)]
        struct Greeting {
            database: String,
            version: u32,
            lc_messages: String,
            is_superuser: bool,
        }
        let greeting: Greeting = session.one(
            "SELECT current_database() AS database, \
             current_setting('server_version_num')::int AS version, \
             current_setting('lc_messages') AS lc_messages, \
             current_setting('is_superuser')::bool AS is_superuser",
        )?;
        session.close()?;
        let server = Self {
            database: greeting.database,
            version_num: greeting.version,
            lc_messages: greeting.lc_messages,
            is_superuser: greeting.is_superuser,
            ..self
        };
        if server.major() < OLDEST {
            return Err(Error::OldServer(server.major()));
        }
        Ok(server)
    }

    /// Returns the server for cleaning up after `cancel` was set, which ends nothing of it.
    pub fn uncancelled(&self) -> Self {
        Self {
            cancel: Arc::default(),
            ..self.clone()
        }
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
    /// [`Error::Connect`], [`Error::NoDatabase`], [`Error::Closed`].
    pub fn session(&self, database: &str) -> Result<Session, Error> {
        Session::open(self, database).map_err(|error| match error {
            Error::Connect { message, .. } if !database.is_empty() => {
                self.refused(database, message)
            }
            error => error,
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Host { url } => write!(f, "{url}"),
            Place::Container { container, .. } => write!(f, "container {}", container.name),
        }
    }
}
