//! Damage in what is too large to try every bit of: random bits, cuts, and what disks do.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::kit::{Bench, FIRST};

/// What a file system reads and loses at once.
const PAGE: usize = 4096;

/// splitmix64. `$TH_SEED` repeats an earlier run.
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    fn new() -> Self {
        let given = std::env::var("TH_SEED").ok();
        let seed = given.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            u64::from(now.subsec_nanos())
        });
        Self { seed, state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

#[test]
fn random_damage_of_a_large_pack_is_noticed() {
    let mut random = Random::new();
    let seed = random.seed;
    let bench = Bench::new();
    let content: Vec<u8> = (0..1 << 17)
        .flat_map(|_| random.next().to_le_bytes())
        .collect();
    bench.write("large", &content);
    let set = bench.publish(FIRST);
    let packs = &set.manifest.files.as_ref().unwrap().packs;
    let path = bench.store.path().join("packs").join(&packs[0].name);
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() > content.len(), "it was compressed");
    let noticed = |bytes: &[u8], how: &str| {
        fs::write(&path, bytes).unwrap();
        let found = bench.verify(&set.manifest).unwrap().differences;
        assert_eq!(found.len(), 1, "TH_SEED={seed}: {how}");
        assert_eq!(found[0].what, "pack");
    };
    for _ in 0..100 {
        let mut bytes = whole.clone();
        let bit = random.below(whole.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        noticed(&bytes, &format!("bit {bit}"));
    }
    for _ in 0..30 {
        let end = random.below(whole.len());
        noticed(&whole[..end], &format!("cut at {end}"));
    }
    let pages = whole.len() / PAGE;
    for _ in 0..10 {
        let (one, other) = (random.below(pages) * PAGE, random.below(pages) * PAGE);
        let mut bytes = whole.clone();
        bytes[one..one + PAGE].fill(0);
        noticed(&bytes, &format!("zeros at {one}"));
        if one != other {
            let mut bytes = whole.clone();
            bytes.copy_within(one..one + PAGE, other);
            noticed(&bytes, &format!("the page at {one} is at {other}"));
        }
    }
    noticed(&[&whole[..], &[0; PAGE]].concat(), "longer");
    fs::write(&path, &whole).unwrap();
    assert_eq!(bench.verify(&set.manifest).unwrap().differences, []);
}
