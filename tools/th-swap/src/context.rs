//! What every command needs: the environment, its slots, its lanes, its state.

use std::path::{Path, PathBuf};

use th_config::{Environment, Mode, Service, Slots};
use th_record::kind::Slot;
use th_state::State;

use crate::Error;
use crate::http::Address;
use crate::lanes::Lanes;

/// An environment whose releases are switched.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) env: Environment,
    pub(crate) slots: Slots,
    /// The app's name.
    pub(crate) app: String,
    /// The environment's name.
    pub(crate) name: String,
    /// The environment's root, absolute.
    pub(crate) root: PathBuf,
    pub(crate) state: State,
    pub(crate) lanes: Lanes,
}

impl Context {
    /// Checks that the environment has slots.
    pub(crate) fn open(mut env: Environment) -> Result<Self, Error> {
        let (Some(app), Some(name)) = (env.app.clone(), env.name.clone()) else {
            return Err(Error::Usage(
                "th-swap needs a th.toml: flags alone do not tell the slots",
            ));
        };
        let Some(mut slots) = env.slots.take() else {
            return Err(th_config::Error::Missing {
                what: "slots",
                hint: "add [env.NAME.slots] with compose and services to th.toml",
            }
            .into());
        };
        if slots.mode == Mode::Reload {
            check_ports(&slots)?;
        }
        let absolute = |path: &Path| std::path::absolute(path).map_err(Error::io(path));
        let root = absolute(&env.files.root)?;
        slots.nginx.include = absolute(&slots.nginx.include)?;
        let lanes = Lanes::new(root.join("run/lanes"), slots.lanes);
        let state = State::at(&env.state);
        Ok(Self {
            env,
            slots,
            app,
            name,
            root,
            state,
            lanes,
        })
    }

    /// Returns the directory with the sockets of `slot`.
    pub(crate) fn run_dir(&self, slot: Slot) -> PathBuf {
        self.root.join("run").join(slot.name())
    }

    /// Returns the compose project of `slot`.
    pub(crate) fn project(&self, slot: Slot) -> String {
        format!("{}-{}-{slot}", self.app, self.name)
    }

    /// Returns where `service` of `slot` listens.
    pub(crate) fn address(&self, slot: Slot, service: &Service) -> Address {
        match self.slots.mode {
            Mode::Lanes => Address::Unix(self.socket(&self.run_dir(slot), &service.name)),
            Mode::Reload => Address::Tcp(format!("127.0.0.1:{}", self.port(slot, &service.name))),
        }
    }

    /// Returns the host's port of `service` in [`Mode::Reload`], in which each has one.
    pub(crate) fn port(&self, slot: Slot, service: &str) -> u16 {
        let ports = self.slots.ports.get(slot.name());
        ports
            .and_then(|ports| ports.get(service).copied())
            .unwrap_or_default()
    }

    /// Returns the socket of `service` in a slot's directory, or in a lane.
    pub(crate) fn socket(&self, dir: &Path, service: &str) -> PathBuf {
        dir.join(format!("{service}.sock"))
    }
}

/// Checks that each service of each slot has a port.
fn check_ports(slots: &Slots) -> Result<(), Error> {
    for slot in Slot::ALL {
        let ports = slots.ports.get(slot.name());
        let has_port = |service: &&Service| ports.is_some_and(|it| it.contains_key(&service.name));
        if let Some(service) = slots.services.iter().find(|service| !has_port(service)) {
            return Err(Error::Setting(format!(
                "slots.ports.{slot} has no port for service '{}'",
                service.name
            )));
        }
    }
    Ok(())
}
