//! Packs: those that no set needs go, those of which little is needed are written anew.

use std::path::Path;

use th_archive::Watch;
use th_cli::Progress;
use th_record::kind::{PackAction, PrunePack};
use th_store::{PackUse, Sparse, Survey};

use crate::floor::Floor;
use crate::sets::Prune;
use crate::{Error, item, summary};

/// Deletes and rewrites packs.
pub(crate) fn packs(prune: &mut Prune<'_>, survey: &Survey) -> Result<(), Error> {
    for name in &survey.foreign {
        prune
            .run
            .warn(format!("'{name}' among the packs stays: it is not a pack"));
    }
    if !survey.unknown.is_empty() && !survey.packs.is_empty() {
        prune.run.warn(summary::unknown(&survey.unknown));
    }
    // What an unreadable set needs is not known.
    let frozen = match survey.unknown.is_empty() {
        true => prune.freeze.all(),
        false => Some(Floor::Unreadable),
    };
    for pack in survey.packs.iter().filter(|pack| !pack.used) {
        prune.check()?;
        unused(prune, pack, frozen);
    }
    if let Some(pruner) = &prune.pruner
        && frozen.is_none()
        && let Err(error) = pruner.remember_unused(survey, prune.now)
    {
        let message = th_record::Failure::of(&error).message;
        prune
            .run
            .warn(format!("packs that no set needs stay longer: {message}"));
    }
    if frozen.is_some() {
        return Ok(());
    }
    let sparse = prune.store.sparse(survey)?;
    let total = sparse.iter().map(|sparse| sparse.needed_bytes).sum();
    let progress = match sparse.is_empty() || prune.pruner.is_none() {
        true => None,
        false => Some(prune.run.progress("rewrite packs", Some(total))),
    };
    for sparse in sparse {
        prune.check()?;
        rewrite(prune, survey, &sparse, progress.as_ref());
    }
    Ok(())
}

fn unused(prune: &mut Prune<'_>, pack: &PackUse, frozen: Option<Floor>) {
    let mut item = item::pack(&pack.name, pack.bytes);
    item.unused_since_at = pack.unused_since;
    item.reasons.push("no set needs it".to_owned());
    let since = pack.unused_since.unwrap_or(prune.now);
    let floor = match frozen {
        Some(floor) => Some(floor),
        None if prune.now - since >= prune.policy.grace => None,
        None => Some(Floor::Grace),
    };
    match floor {
        Some(floor) => {
            item.blocked_by.push(floor.name().to_owned());
            item.reasons.push(floor.reason().to_owned());
        }
        None => {
            item.action = PackAction::Delete;
            let removed = prune.pruner.as_ref().map(|pruner| pruner.remove_pack(pack));
            match removed {
                Some(Err(error)) => prune.fail(&mut item.error, &error),
                Some(Ok(())) => prune.did(format!("removed the pack '{}'", pack.name)),
                None => {}
            }
        }
    }
    if floor.is_some() || item.error.is_some() {
        prune.totals.unused_count += 1;
    } else {
        prune.totals.packs_deleted_count += 1;
        prune.totals.packs_deleted_bytes += pack.bytes;
    }
    print(prune, &item);
}

fn rewrite(prune: &mut Prune<'_>, survey: &Survey, sparse: &Sparse, progress: Option<&Progress>) {
    let mut item = item::pack(&sparse.name, sparse.bytes);
    item.needed_bytes = sparse.needed_bytes;
    item.action = PackAction::Rewrite;
    item.reasons
        .push("sets need less than half of it".to_owned());
    let mut saved = sparse.bytes - sparse.needed_bytes;
    if let Some(pruner) = &prune.pruner {
        let cancel = prune.run.cancel();
        let mut advance = |_: &Path, bytes: u64| {
            if let Some(progress) = progress {
                progress.add(bytes);
            }
        };
        let mut watch = Watch::new(&cancel, &mut advance);
        match pruner.rewrite(survey, sparse, &mut watch) {
            Ok(new) => {
                saved = sparse.bytes.saturating_sub(new.bytes);
                prune.did(format!("wrote the pack '{}' anew", sparse.name));
            }
            Err(error) => prune.fail(&mut item.error, &error),
        }
    }
    if item.error.is_none() {
        prune.totals.packs_rewritten_count += 1;
        prune.totals.packs_rewritten_bytes += saved;
    }
    print(prune, &item);
}

fn print(prune: &Prune<'_>, item: &PrunePack) {
    prune.run.item(item, &summary::pack(item));
}
