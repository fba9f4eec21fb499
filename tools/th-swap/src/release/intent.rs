//! What is to be released, and how patiently.

use std::time::Duration;

use th_record::Image;

use crate::args::ReleaseArgs;
use crate::context::Context;

/// So many probes in a row must succeed, unless told otherwise.
pub(crate) const PROBES: u32 = 3;

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
    /// The images that it must be, on the way back to a release.
    pub(crate) images: Vec<Image>,
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
            probes: args.probes.unwrap_or(PROBES),
            exclusive,
            shares: Vec::new(),
            rollback: false,
            images: Vec::new(),
        }
    }
}
