//! Who has the traffic, and giving it to another slot, in either mode.

use th_cli::Run;
use th_config::Mode;
use th_record::kind::Slot;

use crate::context::Context;
use crate::{Error, reload};

/// Returns the slot that has all of the traffic.
pub(crate) fn live(context: &Context) -> Result<Option<Slot>, Error> {
    match context.slots.mode {
        Mode::Lanes => Ok(context.lanes.read()?.slot()),
        Mode::Reload => reload::live(context),
    }
}

/// Gives all of the traffic to `slot`.
pub(crate) fn give(context: &Context, run: &mut Run, slot: Slot) -> Result<(), Error> {
    match context.slots.mode {
        Mode::Lanes => context.lanes.repoint(slot),
        Mode::Reload => reload::switch(context, run, slot),
    }
}

/// Gives all of the traffic back to `slot`, or to nobody, as before the first release. What cannot
/// be switched now has the traffic there when it can.
pub(crate) fn give_back(context: &Context, run: &mut Run, slot: Option<Slot>) -> Result<(), Error> {
    match (context.slots.mode, slot) {
        (Mode::Lanes, Some(slot)) => context.lanes.repoint(slot),
        (Mode::Lanes, None) => context.lanes.remove(),
        (Mode::Reload, slot) => reload::switch_back(context, run, slot),
    }
}
