//! The connection to the engine, and the one place where a future is waited for.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::API_DEFAULT_VERSION;
use bollard::errors::Error as Bollard;
use tokio::runtime::{Builder, Runtime};

use crate::Error;

/// How long one API call may take.
pub const TIMEOUT: Duration = Duration::from_secs(30);

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// A Docker engine. Clones share the connection settings; every call connects anew.
#[derive(Clone)]
pub struct Docker(Arc<Engine>);

struct Engine {
    socket: PathBuf,
    runtime: Runtime,
    client: bollard::Docker,
    /// Whether it went away, and was waited for in vain.
    given_up: AtomicBool,
}

impl Docker {
    /// Connects to the engine of `$DOCKER_HOST`, or that of the default socket.
    ///
    /// # Errors
    /// [`Error::Host`], [`Error::Unreachable`].
    pub fn connect() -> Result<Self, Error> {
        Self::connect_within(TIMEOUT)
    }

    /// As [`Docker::connect`], for who cannot wait: systemd takes connections for an engine that is
    /// down.
    ///
    /// # Errors
    /// As [`Docker::connect`], after `limit` at the latest.
    pub fn connect_within(limit: Duration) -> Result<Self, Error> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        if host.is_empty() {
            return Self::open(Path::new(DEFAULT_SOCKET), limit);
        }
        match host.strip_prefix("unix://") {
            Some(path) => Self::open(Path::new(path), limit),
            None => Err(Error::Host(host)),
        }
    }

    /// Connects to the engine that listens on `socket`.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub fn connect_to(socket: &Path) -> Result<Self, Error> {
        Self::open(socket, TIMEOUT)
    }

    fn open(socket: &Path, limit: Duration) -> Result<Self, Error> {
        let unreachable = |source: Bollard| Error::Unreachable {
            socket: socket.to_owned(),
            source: source.into(),
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Runtime)?;
        let path = socket.to_string_lossy();
        let client =
            bollard::Docker::connect_with_unix(&path, TIMEOUT.as_secs(), API_DEFAULT_VERSION)
                .map_err(unreachable)?;
        let client = runtime
            .block_on(async { tokio::time::timeout(limit, client.negotiate_version()).await })
            .unwrap_or(Err(Bollard::RequestTimeoutError))
            .map_err(unreachable)?;
        Ok(Self(Arc::new(Engine {
            socket: socket.to_owned(),
            runtime,
            client,
            given_up: AtomicBool::new(false),
        })))
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.0.socket
    }

    pub(crate) fn client(&self) -> &bollard::Docker {
        &self.0.client
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.0.given_up.load(Ordering::Relaxed)
    }

    pub(crate) fn give_up(&self) {
        self.0.given_up.store(true, Ordering::Relaxed);
    }

    /// Returns the directory of the engine, as the engine's host knows it.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn data_root(&self) -> Result<PathBuf, Error> {
        let info = self.wait_for("info", self.client().info())?;
        Ok(info.docker_root_dir.unwrap_or_default().into())
    }

    /// Waits for `call`, at most [`TIMEOUT`]. `object` is what errors speak of.
    pub(crate) fn wait_for<T>(
        &self,
        object: &str,
        call: impl Future<Output = Result<T, Bollard>>,
    ) -> Result<T, Error> {
        self.wait_within(TIMEOUT, object, call)
    }

    /// Waits for `call`, at most `limit`; the call's own client must be as patient.
    pub(crate) fn wait_within<T>(
        &self,
        limit: Duration,
        object: &str,
        call: impl Future<Output = Result<T, Bollard>>,
    ) -> Result<T, Error> {
        let result = self
            .0
            .runtime
            .block_on(async { tokio::time::timeout(limit, call).await });
        result
            .unwrap_or(Err(Bollard::RequestTimeoutError))
            .map_err(|error| self.explain(object, limit, error))
    }

    fn explain(&self, object: &str, limit: Duration, error: Bollard) -> Error {
        let object = object.to_owned();
        match error {
            Bollard::DockerResponseServerError {
                status_code: 404, ..
            } => Error::NotFound(object),
            Bollard::DockerResponseServerError {
                status_code: status,
                message,
            } => Error::Refused {
                object,
                status,
                message,
            },
            Bollard::RequestTimeoutError => Error::Timeout { object, limit },
            Bollard::SocketNotFoundError(_)
            | Bollard::HyperLegacyError { .. }
            | Bollard::HyperResponseError { .. }
            | Bollard::IOError { .. } => Error::Unreachable {
                socket: self.0.socket.clone(),
                source: error.into(),
            },
            _ => Error::Answer {
                object,
                source: error.into(),
            },
        }
    }
}

impl fmt::Debug for Docker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Docker").field(&self.0.socket).finish()
    }
}
