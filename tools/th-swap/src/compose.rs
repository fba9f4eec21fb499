//! `docker compose`, the plugin, or else `docker-compose`, its predecessor.

mod child;
mod file;
mod words;

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use th_record::kind::Slot;

use crate::Error;
use crate::compose::child::Ended;
use crate::context::Context;

pub(crate) use file::images;

/// How long compose may take. Health checks that it waits for and grace periods are minutes; what
/// lasts longer is an engine that hangs.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// What stands for the env file of an environment without one.
const NO_ENV_FILE: &str = "/dev/null";

/// A compose program and the file of a slot.
#[derive(Debug, Clone)]
pub(crate) struct Compose {
    /// `docker compose` or `docker-compose`.
    program: &'static [&'static str],
    file: PathBuf,
    root: PathBuf,
    env_file: PathBuf,
    /// The project of each slot.
    projects: [String; 2],
    /// The host's port of each service of each slot, by the name of its variable.
    ports: Vec<(Slot, String, u16)>,
    /// Whether what a service depends on is started with it.
    dependencies: bool,
    /// What a signal raises, if one ends it.
    cancel: Option<Arc<AtomicBool>>,
}

impl Compose {
    /// Finds a compose program.
    ///
    /// # Errors
    /// [`Error::NoCompose`].
    pub(crate) fn find(context: &Context) -> Result<Self, Error> {
        let programs: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
        let answers = |program: &&&[&str]| {
            let mut command = Command::new(program[0]);
            command.args(&program[1..]).arg("version");
            let quiet = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            quiet.status().is_ok_and(|status| status.success())
        };
        let program = programs.iter().find(answers).ok_or(Error::NoCompose)?;
        Ok(Self {
            program,
            file: std::path::absolute(&context.slots.compose)
                .map_err(Error::io(&context.slots.compose))?,
            root: context.root.clone(),
            env_file: match &context.env.env_file {
                Some(path) => std::path::absolute(path).map_err(Error::io(path))?,
                None => PathBuf::from(NO_ENV_FILE),
            },
            projects: Slot::ALL.map(|slot| context.project(slot)),
            ports: ports(context),
            dependencies: false,
            cancel: None,
        })
    }

    /// Returns one that starts what services depend on as well, and in that order. Not for a slot
    /// with an exclusive service, which compose would start for another one that needs it.
    pub(crate) fn with_dependencies(&self) -> Self {
        Self {
            dependencies: true,
            ..self.clone()
        }
    }

    /// Returns one that ends when `cancel` is raised. On the way back nothing does.
    pub(crate) fn until(&self, cancel: Arc<AtomicBool>) -> Self {
        Self {
            cancel: Some(cancel),
            ..self.clone()
        }
    }

    /// Starts `services` of `slot` with the images of `tag`; what runs so already is left alone.
    ///
    /// # Errors
    /// [`Error::Compose`] with what compose said.
    pub(crate) fn up(&self, slot: Slot, tag: &str, services: &[String]) -> Result<(), Error> {
        self.up_with(slot, tag, services, &[])
    }

    /// As [`Compose::up`], with new containers in the place of those there are.
    ///
    /// # Errors
    /// [`Error::Compose`] with what compose said.
    pub(crate) fn up_anew(&self, slot: Slot, tag: &str, services: &[String]) -> Result<(), Error> {
        self.up_with(slot, tag, services, &["--force-recreate"])
    }

    fn up_with(
        &self,
        slot: Slot,
        tag: &str,
        services: &[String],
        how: &[&str],
    ) -> Result<(), Error> {
        let mut args = vec!["up", "-d", "--no-build", "--remove-orphans"];
        if !self.dependencies {
            args.push("--no-deps");
        }
        args.extend(how);
        args.extend(services.iter().map(String::as_str));
        self.run(slot, tag, &args).map(drop)
    }

    /// Stops `services` of `slot`, or all of them when none is named; the containers stay.
    ///
    /// # Errors
    /// [`Error::Compose`] with what compose said.
    pub(crate) fn stop(&self, slot: Slot, tag: &str, services: &[String]) -> Result<(), Error> {
        let mut args = vec!["stop"];
        args.extend(services.iter().map(String::as_str));
        self.run(slot, tag, &args).map(drop)
    }

    /// Returns the compose file as compose understands it, in YAML.
    ///
    /// # Errors
    /// [`Error::ComposeFile`] with what compose said; [`Error::Setting`] when a service has no image:
    /// nothing is built here, so it would not be started.
    pub(crate) fn config(&self, slot: Slot, tag: &str) -> Result<String, Error> {
        let config = self
            .run(slot, tag, &["config"])
            .map_err(|error| match error {
                Error::Compose { message, .. } => Error::ComposeFile {
                    path: self.file.clone(),
                    message,
                },
                other => other,
            })?;
        match file::without_image(&config) {
            None => Ok(config),
            Some(name) => Err(Error::Setting(format!(
                "service '{name}' of '{}' has no image: give it one with ${{TH_TAG}}, and build that before",
                self.file.display()
            ))),
        }
    }

    fn run(&self, slot: Slot, tag: &str, args: &[impl AsRef<OsStr>]) -> Result<String, Error> {
        // If this process dies, compose must not go on starting what the next run stops.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM", "--"])
            .args(self.program)
            .arg("-p")
            .arg(&self.projects[slot as usize])
            .arg("-f")
            .arg(&self.file)
            .args(args)
            .env("TH_SLOT", slot.name())
            // Stopping needs no tag, but the file may insist on one.
            .env("TH_TAG", if tag.is_empty() { "unknown" } else { tag })
            .env("TH_ROOT", &self.root)
            .env("TH_ENV_FILE", &self.env_file)
            .envs(
                self.ports
                    .iter()
                    .filter(|(of, ..)| *of == slot)
                    .map(|(_, name, port)| (name, port.to_string())),
            )
            // The chain's lock is ours to hold, not that of a child which may outlive us.
            .env_remove("TH_LOCK_FD");
        let program = self.program.join(" ");
        let ended = child::run(&mut command, LIMIT, self.cancel.as_deref());
        let ended = ended.map_err(|source: io::Error| Error::Start {
            program: program.clone(),
            source,
        })?;
        let message = match ended {
            Ended::Itself(output) if output.status.success() => {
                return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
            }
            Ended::Itself(output) => words::last(
                &String::from_utf8_lossy(&output.stderr),
                &words::env_files(&self.env_file, &self.file),
            ),
            Ended::Late => format!("it did not end within {} s", LIMIT.as_secs()),
            Ended::Cancelled => return Err(Error::Cancelled),
        };
        let what = args
            .first()
            .map(|arg| arg.as_ref().to_string_lossy().into_owned());
        Err(Error::Compose {
            command: format!("{program} {}", what.unwrap_or_default()),
            message,
        })
    }
}

/// Returns the variables that tell a slot its ports: `TH_PORT_API`.
fn ports(context: &Context) -> Vec<(Slot, String, u16)> {
    let variable = |service: &String| {
        let upper = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        format!("TH_PORT_{}", service.chars().map(upper).collect::<String>())
    };
    let of_slot = |slot: Slot| context.slots.ports.get(slot.name()).into_iter().flatten();
    let ports = Slot::ALL
        .into_iter()
        .flat_map(|slot| of_slot(slot).map(move |it| (slot, it)));
    ports
        .map(|(slot, (service, port))| (slot, variable(service), *port))
        .collect()
}
