//! Random moments that can be had again.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};

/// A source of random numbers. `$TH_SEED` repeats those of an earlier run.
#[derive(Debug)]
pub struct Moments {
    seed: u64,
    state: u64,
}

impl Moments {
    /// Begins with `$TH_SEED`, else with the time.
    pub fn new() -> Self {
        let given = std::env::var("TH_SEED").ok();
        let seed = given.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.map_or(0, |now| u64::from(now.subsec_nanos()))
        });
        Self { seed, state: seed }
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        // splitmix64
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    /// Returns a share of a run, from 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.below(1_000_000) as f64 / 1_000_000.0
    }

    /// Does `work` for each of `count` moments. What fails tells how to have it again.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn each(
        &mut self,
        count: u32,
        mut work: impl FnMut(u32, &mut Self) -> Result<()>,
    ) -> Result<()> {
        (0..count).try_for_each(|moment| {
            work(moment, self)
                .map_err(|error| anyhow!("TH_SEED={}, moment {moment}: {error:#}", self.seed))
        })
    }
}

impl Default for Moments {
    fn default() -> Self {
        Self::new()
    }
}
