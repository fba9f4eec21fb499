//! A proven set that a restore would refuse is no reason for others to go.

use std::fs;

use anyhow::{Result, ensure};

use crate::prune_sets_store::{BARE, Nights};

#[test]
fn a_proven_set_whose_sums_are_gone_or_wrong_keeps_no_other_from_staying() -> Result<()> {
    for damage in ["gone", "wrong"] {
        let nights = Nights::new(3)?;
        let [newest, second, _] = &nights.sets[..] else {
            anyhow::bail!("{:?}", nights.sets);
        };
        let sums = nights.app.store.set(newest).join("SHA256SUMS");
        match damage {
            "gone" => fs::remove_file(&sums)?,
            _ => fs::write(&sums, fs::read_to_string(&sums)?.replacen('a', "b", 1))?,
        }
        let ended = nights
            .tool(&BARE)?
            .args(["--keep-last", "1"])
            .run()?
            .expect(0)?;
        ensure!(ended.data()["unreadable_count"] == 1, "{}", ended.record);
        let mut left = nights.app.store.sets()?;
        left.sort();
        assert_eq!(left, [second.as_str(), newest], "{damage}");
    }
    Ok(())
}
