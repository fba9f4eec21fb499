//! How long requests took: a histogram of fixed size, whatever their number.

/// The upper end of the first bucket.
const FIRST: f64 = 0.000_5;
/// Each bucket ends this many times later than the one before it: percentiles are 5 % exact.
const STEP: f64 = 1.05;
/// So the last bucket begins at about 30 minutes.
const BUCKETS: usize = 310;

/// A histogram of seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Latency {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
        }
    }
}

impl Latency {
    /// Adds one request.
    pub(crate) fn add(&mut self, seconds: f64) {
        let bucket = (seconds.max(FIRST) / FIRST).ln() / STEP.ln();
        // From a float, `as` saturates: NaN is 0, what is too large the largest.
        let bucket = (bucket.ceil() as usize).min(BUCKETS - 1);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
            self.count += 1;
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    /// Returns how many requests were added.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the seconds within which half of the requests were answered.
    pub(crate) fn p50(&self) -> Option<f64> {
        self.percentile(0.5)
    }

    /// Returns the seconds within which 19 of 20 requests were answered.
    pub(crate) fn p95(&self) -> Option<f64> {
        self.percentile(0.95)
    }

    fn percentile(&self, share: f64) -> Option<f64> {
        let rank = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank && seen > 0 {
                return Some(FIRST * STEP.powi(i32::try_from(bucket).unwrap_or(i32::MAX)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Latency;

    #[test]
    fn percentiles_are_five_percent_exact() {
        let mut latency = Latency::default();
        for millis in 1..=1000 {
            latency.add(f64::from(millis) / 1000.0);
        }
        let (p50, p95) = (latency.p50().unwrap(), latency.p95().unwrap());
        assert!((0.5..0.526).contains(&p50), "{p50}");
        assert!((0.95..0.998).contains(&p95), "{p95}");
        assert_eq!(latency.count(), 1000);
    }

    #[test]
    fn odd_times_are_counted_and_none_has_no_percentile() {
        let mut latency = Latency::default();
        assert_eq!(latency.p50(), None);
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            latency.add(odd);
        }
        assert_eq!(latency.count(), 5);
        assert!(latency.p95().unwrap() > 1000.0);
    }

    #[test]
    fn merging_is_adding() {
        let (mut one, mut two, mut both) =
            (Latency::default(), Latency::default(), Latency::default());
        one.add(0.1);
        two.add(0.2);
        both.add(0.1);
        both.add(0.2);
        one.merge(&two);
        assert_eq!(one, both);
    }
}
