//! The new slot against the old one: what was observed → go on, wait for more, or go back. Nothing
//! here touches anything.
//!
//! A comparison has three ends, as in Argo Rollouts: it is good, it is bad, or it says nothing. It
//! says nothing when there was too little traffic, and when what looks like errors may be chance.

mod latency;
mod sample;

use th_record::kind::CanaryVerdict;

pub(crate) use latency::Latency;
pub(crate) use sample::{Sample, Samples};

/// What may differ between the slots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    /// Below this many requests to the new slot nothing is said.
    pub(crate) min_requests: u64,
    /// The share of errors may be this much over the old slot's.
    pub(crate) error_margin: f64,
    /// The 95th percentile may be this many times the old slot's…
    pub(crate) latency_factor: f64,
    /// …and these seconds: a factor alone says little of answers within a few milliseconds.
    pub(crate) latency_slack: f64,
    /// So many bad comparisons in a row end a step.
    pub(crate) consecutive_failures: u32,
    /// So many bad comparisons in all steps together are still borne.
    pub(crate) failure_limit: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_requests: 50,
            error_margin: 0.01,
            latency_factor: 1.5,
            latency_slack: 0.05,
            consecutive_failures: 3,
            failure_limit: 5,
        }
    }
}

/// The end of a comparison: the verdict and, unless it is good, why.
pub(crate) type Judgement = (CanaryVerdict, Option<String>);

/// Compares what was seen of the new slot with what was seen of the old one, by the usual limits;
/// `old` is empty when there is nothing to compare with.
pub(crate) fn judge(new: &Sample, old: &Sample) -> Judgement {
    Limits::default().compare(new, old)
}

impl Limits {
    /// Compares what was seen of both slots.
    pub(crate) fn compare(&self, new: &Sample, old: &Sample) -> Judgement {
        if new.requests < self.min_requests {
            return inconclusive(format!(
                "the new slot had {} requests, and fewer than {} say nothing",
                new.requests, self.min_requests
            ));
        }
        let limit = old.error_rate() + self.error_margin;
        if new.error_rate() > limit {
            let why = format!(
                "{} of {} requests to the new slot failed, {} of {} to the old one",
                new.errors, new.requests, old.errors, old.requests
            );
            return if new.error_rate_at_least() > limit {
                (CanaryVerdict::Bad, Some(why))
            } else {
                inconclusive(format!("{why}: that may be chance"))
            };
        }
        self.compare_latency(&new.latency, &old.latency)
    }

    fn compare_latency(&self, new: &Latency, old: &Latency) -> Judgement {
        let enough = |latency: &Latency| {
            let enough = latency.count() >= self.min_requests;
            latency.p95().filter(|_| enough)
        };
        // Without an old slot to compare with, errors are all there is to judge by.
        match (enough(new), enough(old)) {
            (Some(found), Some(before))
                if found > before * self.latency_factor + self.latency_slack =>
            {
                let why = format!(
                    "19 of 20 requests take up to {found:.3} s in the new slot, {before:.3} s in the old one"
                );
                (CanaryVerdict::Bad, Some(why))
            }
            _ => (CanaryVerdict::Good, None),
        }
    }
}

fn inconclusive(why: String) -> Judgement {
    (CanaryVerdict::Inconclusive, Some(why))
}

/// Counts the bad comparisons of one canary.
#[derive(Debug)]
pub(crate) struct Judge {
    limits: Limits,
    in_a_row: u32,
    bad: u32,
}

impl Judge {
    /// Starts with none.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            in_a_row: 0,
            bad: 0,
        }
    }

    /// Compares what was seen since the last comparison or, if that says nothing, in the step so
    /// far, and returns why to go back if that is due before the step is over. A comparison that
    /// says nothing neither adds to the bad ones in a row nor ends them.
    pub(crate) fn measure(&mut self, window: &Samples, step: &Samples) -> Option<String> {
        let (verdict, why) = match self.limits.compare(&window.new, &window.old) {
            (CanaryVerdict::Inconclusive, _) => self.limits.compare(&step.new, &step.old),
            judgement => judgement,
        };
        match verdict {
            CanaryVerdict::Good => self.in_a_row = 0,
            CanaryVerdict::Inconclusive => {}
            CanaryVerdict::Bad => {
                self.in_a_row += 1;
                self.bad += 1;
            }
        }
        let why = why.unwrap_or_default();
        if self.in_a_row >= self.limits.consecutive_failures {
            Some(format!("{} times in a row: {why}", self.in_a_row))
        } else if self.bad > self.limits.failure_limit {
            Some(format!("{} times in all: {why}", self.bad))
        } else {
            None
        }
    }

    /// Ends a step by all that was seen in it.
    pub(crate) fn conclude(&mut self, step: &Samples) -> Judgement {
        self.in_a_row = 0;
        self.limits.compare(&step.new, &step.old)
    }
}

#[cfg(test)]
mod tests;
