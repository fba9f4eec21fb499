//! What a release asks for before it begins, at the same time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, ScopedJoinHandle};

use th_record::kind::Slot;

use super::Intent;
use crate::compose::Compose;
use crate::context::Context;
use crate::schema::{self, Schema};
use crate::{Error, doctor};

/// What takes a while to ask.
pub(super) struct Asked {
    /// The compose file as compose understands it.
    pub(super) config: Result<String, Error>,
    pub(super) schema: Result<Option<Schema>, Error>,
    /// What the doctor warns of.
    pub(super) findings: Result<Vec<String>, Error>,
}

impl Asked {
    /// Asks for all of it at once.
    pub(super) fn at_once(
        context: &Context,
        cancel: Arc<AtomicBool>,
        compose: &Compose,
        slot: Slot,
        intent: &Intent,
    ) -> Self {
        thread::scope(|scope| {
            let compose = compose.until(Arc::clone(&cancel));
            // Who goes back is in a hurry.
            let schema = scope.spawn(|| match intent.rollback {
                true => Schema::connect_within(context, cancel, schema::HURRY),
                false => Schema::connect(context, cancel),
            });
            let doctor = scope.spawn(|| match intent.rollback {
                true => Ok(Vec::new()),
                false => doctor::examine(context).map(|doctor| doctor::warnings(&doctor)),
            });
            Self {
                config: compose.config(slot, &intent.tag),
                schema: join(schema),
                findings: join(doctor),
            }
        })
    }
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
