//! The steps of a canary, as lanes. Pure.

use std::fmt;

use crate::Error;

/// A step below all of the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// What was asked for.
    pub(super) percent: u8,
    /// The lanes that come nearest to it.
    pub(super) lanes: u16,
    /// How many lanes there are.
    pub(super) of: u16,
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} lanes", self.lanes, self.of)
    }
}

impl Share {
    /// Returns what the lanes really are, in percent.
    pub(super) fn real_percent(self) -> f64 {
        f64::from(self.lanes) * 100.0 / f64::from(self.of)
    }

    /// Tells whether that is far from what was asked for.
    pub(super) fn is_far(self) -> bool {
        (self.real_percent() - f64::from(self.percent)).abs() > 2.0
    }
}

/// Returns the steps below 100 percent. All of the traffic comes last, whether it was named or not:
/// that step is the switch.
pub(super) fn steps(percents: &[u8], lanes: u16) -> Result<Vec<Share>, Error> {
    if !percents.is_sorted_by(|one, next| one < next) {
        return Err(Error::Usage("--steps must rise, such as 5,25,50,100"));
    }
    if lanes < 2 {
        return Err(Error::Usage("a canary needs slots.lanes of 2 or more"));
    }
    let below = percents.iter().filter(|percent| **percent < 100);
    Ok(below
        .map(|percent| {
            let exact = f64::from(*percent) * f64::from(lanes) / 100.0;
            Share {
                percent: *percent,
                // Never none of the lanes, and never all.
                lanes: (exact.round() as u16).clamp(1, lanes - 1),
                of: lanes,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_become_lanes() {
        let lanes = |percents: &[u8], of| -> Vec<u16> {
            let steps = steps(percents, of).unwrap();
            steps.into_iter().map(|step| step.lanes).collect()
        };
        assert_eq!(lanes(&[5, 25, 50, 100], 20), [1, 5, 10]);
        assert_eq!(lanes(&[1, 99], 20), [1, 19]);
        assert_eq!(lanes(&[50], 2), [1]);
        assert_eq!(lanes(&[100], 20), [0; 0]);
    }

    #[test]
    fn a_share_that_is_not_to_be_had_is_known() {
        let far = |percent, of| steps(&[percent], of).unwrap()[0].is_far();
        assert!(!far(5, 20) && !far(33, 100));
        assert!(far(1, 20) && far(99, 20));
    }

    #[test]
    fn steps_rise() {
        assert!(steps(&[25, 5], 20).is_err());
        assert!(steps(&[5, 5], 20).is_err());
        assert!(steps(&[50], 1).is_err());
    }
}
