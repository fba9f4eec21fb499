//! The silence marker: th-health raises no alarm over what a swap does, until the marker expires.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use th_cli::Run;

use crate::Error;
use crate::context::Context;

const FILE: &str = "silence.json";

/// A year: an alarm that is silent for longer is none.
const MOST: u64 = 366 * 24 * 60 * 60;

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
        until_at: end_of(since_at, seconds),
    };
    Ok(context.state.write(FILE, &silence)?)
}

/// Ends the silence.
pub(crate) fn end(context: &Context) -> Result<(), Error> {
    Ok(context.state.remove(FILE)?)
}

fn end_of(since: DateTime<Utc>, seconds: u64) -> DateTime<Utc> {
    since + TimeDelta::seconds(seconds.min(MOST).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_swap_is_too_long() {
        let now = Utc::now();
        assert_eq!(end_of(now, 90), now + TimeDelta::seconds(90));
        assert_eq!(end_of(now, u64::MAX), now + TimeDelta::days(366));
    }
}
