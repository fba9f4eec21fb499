//! Looking at what the doctor judges.

mod containers;
mod nginx;
mod sockets;

use th_record::kind::SwapUnchecked;

pub(super) use containers::{containers, memory};
pub(super) use nginx::{Seen, nginx};
pub(crate) use sockets::barrier;
pub(super) use sockets::sockets;

fn unknown(subject: &str, reason: impl Into<String>) -> SwapUnchecked {
    SwapUnchecked {
        subject: subject.to_owned(),
        reason: reason.into(),
    }
}
