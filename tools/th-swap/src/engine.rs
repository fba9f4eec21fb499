//! An engine that is restarted in the middle of a swap is waited for.

use std::time::{Duration, Instant};

use th_cli::Run;
use th_docker::Docker;
use th_record::kind::Slot;

use crate::Error;
use crate::compose::Compose;

/// How long. A restart takes seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often, in one piece of work.
const MOST: u32 = 3;

/// Does `work`, which must be fit to be done twice: when the engine went away under it, and is back
/// in time, it is done again.
///
/// # Errors
/// Those of `work`.
pub(crate) fn steadily<T>(
    run: &mut Run,
    docker: &Docker,
    mut work: impl FnMut(&mut Run) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut again = 0;
    loop {
        let presence = docker.presence();
        let error = match work(run) {
            Err(error) if !matches!(error, Error::Cancelled) && again < MOST => error,
            ended => return ended,
        };
        again += 1;
        let gone = Instant::now();
        if !docker.comes_back(PATIENCE) || !presence.is_over() {
            return Err(error);
        }
        run.warn(format!(
            "the docker engine went away and was back after {:.1} s: what it broke off was done \
             again ({error})",
            gone.elapsed().as_secs_f64()
        ));
    }
}

/// Starts `services` of `slot`. What an engine that died has left half started can only be replaced.
///
/// # Errors
/// [`Error::Compose`] with what compose said at first.
pub(crate) fn up(
    run: &mut Run,
    docker: &Docker,
    compose: &Compose,
    slot: Slot,
    tag: &str,
    services: &[String],
) -> Result<(), Error> {
    match steadily(run, docker, |_| compose.up(slot, tag, services)) {
        Err(error @ Error::Compose { .. }) if !run.cancelled() => {
            if compose.up_anew(slot, tag, services).is_err() {
                return Err(error);
            }
            run.warn(format!("{slot} had to be made anew: {error}"));
            Ok(())
        }
        ended => ended,
    }
}
