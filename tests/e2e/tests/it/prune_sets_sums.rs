//! A proven set that a restore would refuse is no reason for others to go.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::prune_sets_store::{BARE, Nights};

#[test]
fn a_proven_set_that_lacks_something_keeps_no_other_from_staying() -> Result<()> {
    for damage in [
        "sums gone",
        "sums wrong",
        "listing gone",
        "dump cut",
        "pack gone",
    ] {
        let nights = Nights::new(3)?;
        let [newest, second, _] = &nights.sets[..] else {
            bail!("{:?}", nights.sets);
        };
        let store = &nights.app.store;
        let set = store.set(newest);
        match damage {
            "sums gone" => fs::remove_file(set.join("SHA256SUMS"))?,
            "sums wrong" => {
                let sums = fs::read_to_string(set.join("SHA256SUMS"))?;
                fs::write(set.join("SHA256SUMS"), sums.replacen('a', "b", 1))?;
            }
            "listing gone" => fs::remove_file(set.join("files.jsonl.zst"))?,
            "dump cut" => {
                let dump = fs::OpenOptions::new()
                    .write(true)
                    .open(set.join("db.dump.zst"))?;
                dump.set_len(dump.metadata()?.len() - 1)?;
            }
            _ => {
                // One that the set before does not need.
                let (own, before) = (packs(&nights, newest)?, packs(&nights, second)?);
                let own = own.iter().find(|pack| !before.contains(pack));
                let own = own.context("the newest set has no pack of its own")?;
                fs::remove_file(store.path().join("packs").join(own))?;
            }
        }
        let ended = nights
            .tool(&BARE)?
            .args(["--keep-last", "1"])
            .run()?
            .expect(0)?;
        ensure!(ended.data()["unreadable_count"] == 1, "{}", ended.record);
        let mut left = store.sets()?;
        left.sort();
        assert_eq!(left, [second.as_str(), newest], "{damage}");
    }
    Ok(())
}

fn packs(nights: &Nights<'_>, set: &str) -> Result<Vec<String>> {
    let manifest = nights.app.store.manifest(set)?;
    let packs = manifest["files"]["packs"].as_array().context("no packs")?;
    let name = |pack: &Value| pack["name"].as_str().map(str::to_owned);
    packs
        .iter()
        .map(|pack| name(pack).context("no name"))
        .collect()
}
