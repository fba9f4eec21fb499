//! Where a canary learns how the slots do.

use std::time::{Duration, Instant};

use th_config::Service;
use th_record::kind::{Compared, Slot};

use crate::Error;
use crate::access_log::AccessLog;
use crate::analysis::{Sample, Samples};
use crate::args::Compare;
use crate::context::Context;
use crate::front::BODY;
use crate::http::{Address, Client, Request};

/// How long one probe may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Where a canary learns how the slots do.
pub(super) enum Source {
    /// From what users met.
    Users { log: AccessLog, new: Slot },
    /// From its own requests, to each slot's own sockets.
    Probes { new: Vec<Probe>, old: Vec<Probe> },
}

/// One request that is sent again and again.
pub(super) struct Probe {
    address: Address,
    path: String,
    post: bool,
}

impl Source {
    /// Opens the access log at its end; without one, or if told so, makes probes.
    pub(super) fn open(
        context: &Context,
        new: Slot,
        compare: Option<Compare>,
    ) -> Result<Self, Error> {
        let log = match compare {
            None | Some(Compare::Users) => AccessLog::of(context)?,
            Some(Compare::Probes) => None,
        };
        Ok(match log {
            Some(log) => Self::Users { log, new },
            None => Self::Probes {
                new: probes(context, new),
                old: probes(context, new.other()),
            },
        })
    }

    /// Returns what is compared.
    pub(super) fn compared(&self) -> Compared {
        match self {
            Self::Users { .. } => Compared::Users,
            Self::Probes { .. } => Compared::Probes,
        }
    }

    /// Adds what has become known since the last call.
    pub(super) fn read(&mut self, samples: &mut Samples) -> Result<(), Error> {
        match self {
            Self::Users { log, new } => log.read(|entry| match entry.slot {
                Some(slot) if slot == *new => samples.new.add(entry),
                Some(_) => samples.old.add(entry),
                None => {}
            }),
            Self::Probes { new, old } => {
                send(new, &mut samples.new);
                send(old, &mut samples.old);
                Ok(())
            }
        }
    }
}

fn probes(context: &Context, slot: Slot) -> Vec<Probe> {
    let services = context.slots.services.iter();
    let get = |service: &Service| Probe {
        address: context.address(slot, service),
        path: service.probe.clone(),
        post: false,
    };
    let first = context.slots.services.first();
    let post = first
        .zip(context.slots.probe_post.clone())
        .map(|(service, path)| Probe {
            address: context.address(slot, service),
            path,
            post: true,
        });
    services.map(get).chain(post).collect()
}

fn send(probes: &[Probe], sample: &mut Sample) {
    for probe in probes {
        let began = Instant::now();
        let request = Request {
            body: probe.post.then_some(BODY),
            ..Request::get(&probe.path)
        };
        let answer = Client::fresh(probe.address.clone(), LIMIT).send(&request);
        let failed = !answer.is_ok_and(|answer| answer.status < 500);
        sample.count(failed, Some(began.elapsed().as_secs_f64()));
    }
}
