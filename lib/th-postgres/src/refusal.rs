//! Why a server does not let somebody in.
//!
//! A client that is refused gets no SQLSTATE, but words in the server's language. So they are not
//! read: the server is asked, through a database that does let us in.

use crate::quote::literal;
use crate::session::Session;
use crate::{Error, Server};

/// The databases that every server has, unless somebody has dropped the first.
const ELSEWHERE: [&str; 2] = ["postgres", "template1"];

impl Server {
    /// Returns the error that it was when the server, or the client, said `message` instead of opening
    /// a session on `database`.
    pub(crate) fn refused(&self, database: &str, message: String) -> Error {
        let (server, database) = (self.to_string(), database.to_owned());
        match self.lists(&database, &message) {
            Some(true) => Error::Closed {
                server,
                database,
                message,
            },
            Some(false) => Error::NoDatabase { server, database },
            None => Error::Connect { server, message },
        }
    }

    /// Tells whether the server lists `database`; `None` when it cannot be asked.
    fn lists(&self, database: &str, message: &str) -> Option<bool> {
        #[derive(serde::Deserialize)]
        struct Found {
            found: bool,
        }
        let query = format!(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = {}) AS found",
            literal(database)
        );
        for other in ELSEWHERE.into_iter().filter(|other| *other != database) {
            match Session::open(self, other) {
                Ok(mut session) => return session.one(&query).ok().map(|Found { found }| found),
                // The same words of another database: it is the server, and would be of the third.
                Err(Error::Connect { message: again, .. }) if again == message => return None,
                Err(_) => {}
            }
        }
        None
    }
}
