//! The web server in front, as a client meets it.

mod answers;

use std::fmt;
use std::io;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use crate::Error;
use crate::context::Context;
use crate::http::{Address, Answer, Client, Request};

pub(crate) use answers::{Answers, Bad};

/// How long one answer may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// So many users ask at the same time: one after the other, they would wait long for an app that hangs.
const AT_ONCE: usize = 8;

/// What a POST probe carries.
pub(crate) const BODY: &[u8] = b"th-swap";

/// How the users that the tool plays begin: in the access log, they are told from real ones by it.
pub(crate) const USER: &str = "th-swap-";

/// What is asked for: a GET, or the POST.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Way {
    path: String,
    post: bool,
}

impl Way {
    /// A GET of `path`.
    pub(crate) fn get(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            post: false,
        }
    }

    fn post(path: &str) -> Self {
        Self {
            post: true,
            ..Self::get(path)
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.post { "POST" } else { "GET" };
        write!(f, "{method} {}", self.path)
    }
}

/// Where and how to ask.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    pub(crate) address: Address,
    host: String,
    cookie: String,
    gets: Vec<Way>,
    post: Option<Way>,
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
            gets: slots
                .nginx
                .probes
                .iter()
                .map(|path| Way::get(path))
                .collect(),
            post: slots.probe_post.as_deref().map(Way::post),
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

    /// Returns the GETs, one of each path.
    pub(crate) fn gets(&self) -> &[Way] {
        &self.gets
    }

    /// Returns the POST, if there is something to POST to.
    pub(crate) fn post(&self) -> Option<&Way> {
        self.post.as_ref()
    }

    /// Returns the GET that is the turn of the user number `user`: all paths are asked in turn.
    pub(crate) fn get(&self, user: u64) -> &Way {
        &self.gets[user as usize % self.gets.len()]
    }

    /// Asks as the user number `user`, who has a lane of his own.
    pub(crate) fn ask(&self, client: &mut Client, user: u64, way: &Way) -> io::Result<Answer> {
        let cookie = format!("{}={USER}{user}", self.cookie);
        client.send(&Request {
            path: &way.path,
            host: &self.host,
            cookie: Some(&cookie),
            body: way.post.then_some(BODY),
        })
    }

    /// Returns all that is asked for: the GETs, and the POST if there is one.
    pub(crate) fn ways(&self) -> Vec<Way> {
        self.gets.iter().chain(&self.post).cloned().collect()
    }

    /// Asks for `ways` in turn, as `count` different users. Once a whole batch of them is not answered
    /// at all, the others are not asked.
    ///
    /// # Errors
    /// When there is nobody to ask.
    pub(crate) fn survey(&self, count: u64, ways: &[Way]) -> io::Result<Answers> {
        let mut answers = Answers::default();
        let way = |user: u64| &ways[user as usize % ways.len()];
        let mut users = (0..count).peekable();
        while users.peek().is_some() {
            let silent = answers.silent;
            let batch: Vec<u64> = users.by_ref().take(AT_ONCE).collect();
            let met = thread::scope(|scope| {
                let ask = |user| move || self.ask(&mut self.fresh(), user, way(user));
                let threads = batch.iter().map(|user| scope.spawn(ask(*user)));
                let threads: Vec<_> = threads.collect();
                let join = |thread: ScopedJoinHandle<'_, _>| thread.join();
                threads.into_iter().map(join).collect::<Vec<_>>()
            });
            for (user, met) in batch.iter().zip(met) {
                let met = met.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                answers.note(way(*user), met)?;
            }
            if answers.silent - silent == batch.len() as u64 {
                break;
            }
        }
        answers.slots.sort();
        answers.slots.dedup();
        Ok(answers)
    }
}
