//! The scratch place: a throw-away container of the set's own image, or a database beside the live
//! one.

use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use th_cli::Run;
use th_docker::{Docker, ExecSpec, Scratch, ScratchSpec};
use th_postgres::{Role, Server};
use th_record::{GLOBALS, Id, Level, Manifest};
use th_store::Store;

use crate::{Error, check_spaces, open, spaces};

/// How long a scratch server may take to come up: its first start makes a whole cluster.
const PATIENCE: Duration = Duration::from_secs(120);

/// The superuser of a scratch server. Not the original's name, which the set's own roles include.
const SUPERUSER: &str = "th_scratch";

/// Settings that trade safety for speed: nothing in a scratch server is worth keeping.
const FAST: [&str; 7] = [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "archive_mode=off",
    "max_wal_size=4GB",
];

/// A place to restore into, gone when dropped.
pub(crate) enum Place {
    /// A container of its own.
    Container {
        /// A server with nothing in it but the set's roles.
        server: Server,
        /// Removes the container.
        _scratch: Scratch,
    },
    /// A database in the live server.
    Database {
        /// The live server.
        server: Server,
        /// The database's name.
        name: String,
    },
}

impl Place {
    /// Makes a scratch place for the set on the kind of server that is given.
    pub(crate) fn make(
        run: &mut Run,
        store: &Store,
        manifest: &Manifest,
        server: &Server,
        name: &str,
    ) -> Result<Self, Error> {
        let database = manifest
            .database
            .as_ref()
            .ok_or_else(|| Error::NoDatabase(manifest.id.clone()))?;
        let Some((docker, container)) = server.container() else {
            check_fits(server, manifest)?;
            check_spaces(&spaces(server, manifest, store)?)?;
            server.admin()?.drop(name)?;
            return Ok(Self::Database {
                server: server.clone(),
                name: name.to_owned(),
            });
        };
        // The very image, as long as this host has it; else the one that runs now.
        let image = match &database.image {
            Some(image) if docker.image_digest(&image.id).is_ok() => image.id.clone(),
            other => {
                if let Some(image) = other {
                    run.warn(format!(
                        "the set's image {} ({}) is gone from this host: proved with {} ({})",
                        image.name, image.id, container.image_name, container.image_id
                    ));
                }
                container.image_id.clone()
            }
        };
        let mut settings: Vec<String> = FAST.map(str::to_owned).to_vec();
        let preload = server.admin()?.setting("shared_preload_libraries")?;
        if !preload.is_empty() {
            settings.push(format!("shared_preload_libraries={preload}"));
        }
        let mut cmd = vec!["postgres".to_owned()];
        cmd.extend(
            settings
                .into_iter()
                .flat_map(|setting| ["-c".to_owned(), setting]),
        );
        let scratch = docker.scratch(&ScratchSpec {
            image_id: image,
            name_prefix: "th-scratch".to_owned(),
            run: Id::new(Utc::now()).to_string(),
            env: vec![
                ("POSTGRES_USER".to_owned(), SUPERUSER.to_owned()),
                ("POSTGRES_HOST_AUTH_METHOD".to_owned(), "trust".to_owned()),
            ],
            cmd,
            ..ScratchSpec::default()
        })?;
        wait_until_up(run, docker, &scratch)?;
        let container = docker.container(scratch.id())?;
        let scratch_server = Server::in_scratch(docker.clone(), container, server, SUPERUSER)?;
        scratch_server.load_globals(open(store, manifest, GLOBALS)?)?;
        check_fits(&scratch_server, manifest)?;
        check_spaces(&spaces(&scratch_server, manifest, store)?)?;
        Ok(Self::Container {
            server: scratch_server,
            _scratch: scratch,
        })
    }

    /// Returns the server to restore into.
    pub(crate) fn server(&self) -> &Server {
        match self {
            Self::Container { server, .. } | Self::Database { server, .. } => server,
        }
    }

    /// Returns `container` or `database`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Container { .. } => "container",
            Self::Database { .. } => "database",
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Database { server, name } = self {
            // What cannot be dropped now is swept by the next run.
            let admin = server.uncancelled().admin();
            let _ = admin.and_then(|mut admin| admin.drop(name));
        }
    }
}

/// Refuses a server that is older than the set, or lacks roles or extensions which the set needs, and
/// a `pg_restore` that does not fit the server.
///
/// # Errors
/// [`Error::OldServer`], [`Error::Lacks`], and those of the session and of the client.
pub fn check_fits(server: &Server, manifest: &Manifest) -> Result<(), Error> {
    let Some(database) = &manifest.database else {
        return Ok(());
    };
    check_version(server, manifest, Level::Restore)?;
    let mut admin = server.admin()?;
    let names = admin.missing_roles(&database.roles)?;
    if !names.is_empty() {
        return Err(Error::Lacks {
            what: "roles",
            names,
        });
    }
    let wanted: Vec<String> = database
        .fingerprint
        .extensions
        .iter()
        .map(|extension| extension.name.clone())
        .collect();
    let names = admin.missing_extensions(&wanted)?;
    if !names.is_empty() {
        return Err(Error::Lacks {
            what: "extensions",
            names,
        });
    }
    Ok(())
}

/// Refuses a server that is older than the set, and a `pg_restore` that is older than the server, or
/// too new to restore into it: they would have it that the set is damaged.
pub(crate) fn check_version(
    server: &Server,
    manifest: &Manifest,
    wanted: Level,
) -> Result<(), Error> {
    let database = manifest.database.as_ref();
    let theirs = database.map_or(0, |database| database.fingerprint.server_major);
    let ours = server.major();
    if ours < theirs {
        return Err(Error::OldServer {
            set: manifest.id.clone(),
            theirs,
            ours,
        });
    }
    match wanted {
        Level::Bytes | Level::Decode => server.check_client("pg_restore")?,
        Level::Restore | Level::Content | Level::App => server.check_restorer()?,
    }
    Ok(())
}

/// Waits until the server answers on TCP: while the image initialises its cluster, a temporary
/// server answers on the socket, and then goes away.
fn wait_until_up(run: &mut Run, docker: &Docker, scratch: &Scratch) -> Result<(), Error> {
    let _progress = run.progress("scratch server", None);
    let start = Instant::now();
    let probe = ExecSpec {
        cmd: ["pg_isready", "--quiet", "--host=127.0.0.1"]
            .map(str::to_owned)
            .to_vec(),
        ..ExecSpec::default()
    };
    while start.elapsed() < PATIENCE && docker.is_running(scratch.id())? {
        match docker
            .exec(scratch.id(), &probe, run.cancel())
            .and_then(|mut it| it.wait())
        {
            Ok(end) if end.status == 0 => {
                run.took("scratch_server", start.elapsed().as_secs_f64());
                return Ok(());
            }
            Err(error @ th_docker::Error::Cancelled(_)) => return Err(error.into()),
            // Not up yet; or dying, which the next look shows.
            _ => thread::sleep(Duration::from_millis(100)),
        }
    }
    let seconds = start.elapsed().as_secs();
    Err(Error::Scratch {
        seconds,
        logs: scratch.logs(20)?,
    })
}

/// Removes what dead runs of the environment left: scratch containers of this host whose maker is
/// gone, and scratch databases called `<database>_verify_…`.
///
/// # Errors
/// Those of the engine and the server.
pub fn sweep(server: &Server) -> Result<Vec<String>, Error> {
    let mut swept = Vec::new();
    if let Some((docker, _)) = server.container() {
        swept.extend(docker.sweep()?);
    }
    let mut admin = server.admin()?;
    swept.extend(admin.drop_beside(server.database(), Role::Verify)?);
    Ok(swept)
}
