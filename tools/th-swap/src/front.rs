//! The web server in front, as a client meets it.

use std::io;
use std::time::Duration;

use th_record::kind::Slot;

use crate::Error;
use crate::context::Context;
use crate::http::{Address, Answer, Client, Request};

/// How long one answer may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// What a POST probe carries.
pub(crate) const BODY: &[u8] = b"th-swap";

/// Where and how to ask.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    pub(crate) address: Address,
    host: String,
    cookie: String,
    probe: String,
    probe_post: Option<String>,
}

impl Front {
    /// Reads the settings; `None` when no front is given.
    ///
    /// # Errors
    /// [`Error::Setting`] when the address is not one.
    pub(crate) fn of(context: &Context) -> Result<Option<Self>, Error> {
        let slots = &context.slots;
        let Some(front) = &slots.nginx.front else {
            return Ok(None);
        };
        let (address, host) = if let Some(path) = front.strip_prefix("unix:") {
            (Address::Unix(context.root.join(path)), "localhost")
        } else {
            let rest = front.strip_prefix("http://").unwrap_or(front);
            let rest = rest.trim_end_matches('/');
            if rest.is_empty() || rest.contains(['/', ' ']) {
                return Err(Error::Setting(format!(
                    "slots.nginx.front: '{front}' is not like http://127.0.0.1:8000"
                )));
            }
            let port = if rest.contains(':') { "" } else { ":80" };
            (Address::Tcp(format!("{rest}{port}")), rest)
        };
        Ok(Some(Self {
            address,
            host: slots.nginx.host.clone().unwrap_or_else(|| host.to_owned()),
            cookie: slots.nginx.cookie.clone(),
            probe: slots
                .services
                .first()
                .map(|first| first.probe.clone())
                .unwrap_or_default(),
            probe_post: slots.probe_post.clone(),
        }))
    }

    /// Returns a client that keeps its connection.
    pub(crate) fn kept_alive(&self) -> Client {
        Client::kept_alive(self.address.clone(), LIMIT)
    }

    /// Returns a client that connects anew each time.
    pub(crate) fn fresh(&self) -> Client {
        Client::fresh(self.address.clone(), LIMIT)
    }

    /// Tells whether there is something to POST to.
    pub(crate) fn posts(&self) -> bool {
        self.probe_post.is_some()
    }

    /// Asks the first service for its health as the user number `user`, who has a lane of his own;
    /// or POSTs to it.
    pub(crate) fn ask(&self, client: &mut Client, user: u64, post: bool) -> io::Result<Answer> {
        let cookie = format!("{}=th-swap-{user}", self.cookie);
        let (path, body) = match (&self.probe_post, post) {
            (Some(path), true) => (path, Some(BODY)),
            _ => (&self.probe, None),
        };
        client.send(&Request {
            path,
            host: &self.host,
            cookie: Some(&cookie),
            body,
        })
    }

    /// Asks `count` times as different users, and returns the slots that answered, each once, and
    /// how many answers were not good.
    ///
    /// # Errors
    /// When nothing listens there.
    pub(crate) fn slots(&self, count: u64) -> io::Result<(Vec<Slot>, u64)> {
        let (mut slots, mut bad) = (Vec::new(), 0);
        for user in 0..count {
            match self.ask(&mut self.fresh(), user, false) {
                Ok(answer) => {
                    bad += u64::from(!answer.is_good());
                    slots.extend(answer.slot);
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    return Err(error);
                }
                Err(_) => bad += 1,
            }
        }
        slots.sort();
        slots.dedup();
        Ok((slots, bad))
    }
}
