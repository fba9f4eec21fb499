//! The database's head, asked for on a thread of its own: a database that does not answer holds up nobody.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use crate::context::Context;
use crate::schema::{self, Schema};

/// How often it is asked for, and is connected to again when it does not answer.
const ASK: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(10);

/// How long a first answer is waited for at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks until it is dropped.
#[derive(Debug)]
pub(super) struct Head(Receiver<Option<String>>);

impl Head {
    /// Starts to ask, in the session of `schema` while that lasts. In a hold each answer `is_noted`, for
    /// a rollback that has no time to ask.
    pub(super) fn ask(
        context: &Context,
        cancel: Arc<AtomicBool>,
        schema: Option<Schema>,
        is_noted: bool,
    ) -> Self {
        let (sender, answers) = mpsc::channel();
        if context.env.database.is_some() {
            let context = context.clone();
            // Not waited for: it ends when its answer finds nobody, or with the process.
            thread::spawn(move || answer(&context, &cancel, schema, is_noted, &sender));
        }
        Self(answers)
    }

    /// Returns what was answered last; `None` when nothing was.
    pub(super) fn last(self) -> Option<Option<String>> {
        let last = self.0.try_iter().last();
        last.or_else(|| self.0.recv_timeout(PATIENCE).ok())
    }
}

/// Asks again and again, and sends what is answered, as long as somebody is there.
fn answer(
    context: &Context,
    cancel: &Arc<AtomicBool>,
    mut schema: Option<Schema>,
    is_noted: bool,
    sender: &Sender<Option<String>>,
) {
    loop {
        if schema.is_none() {
            schema = Schema::connect(context, Arc::clone(cancel)).unwrap_or_default();
        }
        let pause = match schema.as_mut().map(Schema::head) {
            Some(Ok(head)) => {
                if is_noted {
                    // A full disk is no fault of the release.
                    let _ = schema::note(context, head.clone());
                }
                if sender.send(head).is_err() {
                    return;
                }
                ASK
            }
            // A session that broke does not mend, as when the server was restarted.
            Some(Err(_)) => {
                schema = None;
                ASK
            }
            None => CONNECT,
        };
        thread::sleep(pause);
    }
}
