//! What is to be released, and how patiently.

use std::time::Duration;

use crate::args::ReleaseArgs;
use crate::context::Context;

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) tag: String,
    pub(crate) hold: Duration,
    pub(crate) drain: Duration,
    pub(crate) ready: Duration,
    pub(crate) probes: u32,
    pub(crate) exclusive: Vec<String>,
    /// The steps of a canary before all of the traffic, in words.
    pub(crate) shares: Vec<String>,
    pub(crate) rollback: bool,
}

impl Intent {
    /// Reads the flags; what they do not say is in the settings.
    pub(crate) fn of(context: &Context, args: &ReleaseArgs) -> Self {
        let slots = &context.slots;
        let or = |flag: Option<humantime::Duration>, setting| flag.map_or(setting, Into::into);
        let mut exclusive = slots.exclusive.clone();
        exclusive.extend(
            args.exclusive
                .iter()
                .filter(|name| !slots.exclusive.contains(name))
                .cloned(),
        );
        Self {
            tag: args.tag.clone(),
            hold: or(args.hold, slots.hold),
            drain: or(args.drain, slots.drain),
            ready: or(args.ready, slots.ready),
            probes: args.probes,
            exclusive,
            shares: Vec::new(),
            rollback: false,
        }
    }
}
