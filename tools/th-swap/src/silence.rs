//! The silence marker: th-health raises no alarm over what a swap does, until the marker expires.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use th_cli::Run;

use crate::Error;
use crate::context::Context;

const FILE: &str = "silence.json";

#[derive(Serialize)]
struct Silence<'a> {
    tool: &'a str,
    run: &'a str,
    reason: String,
    #[serde(with = "th_record::record::seconds")]
    since_at: DateTime<Utc>,
    #[serde(with = "th_record::record::seconds")]
    until_at: DateTime<Utc>,
}

/// Asks for silence, for `seconds` from now. A process that dies is silent no longer than that.
pub(crate) fn keep(
    context: &Context,
    run: &Run,
    reason: String,
    seconds: u64,
) -> Result<(), Error> {
    let since_at = Utc::now();
    let silence = Silence {
        tool: run.tool,
        run: &run.id,
        reason,
        since_at,
        until_at: since_at + TimeDelta::seconds(seconds.try_into().unwrap_or(i64::MAX / 1000)),
    };
    Ok(context.state.write(FILE, &silence)?)
}

/// Ends the silence.
pub(crate) fn end(context: &Context) -> Result<(), Error> {
    Ok(context.state.remove(FILE)?)
}
