//! Docker's build cache: what no build has used for a while. It is the host's, not the app's.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use th_cli::Run;
use th_docker::{CacheRecord, Docker};
use th_record::kind::{FreedPart, PruneAction, PruneObject};

use crate::Error;
use crate::context::Context;
use crate::free::Room;
use crate::objects::lineage::Lineage;
use crate::objects::{self, End, Object, block, keep};
use crate::policy::either;

/// How long what no build uses stays.
const AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Kinds of records that are the builder's own.
const INTERNAL: [&str; 2] = ["internal", "frontend"];

/// Prunes the build cache until there is room enough.
pub(crate) fn part(
    context: &Context,
    run: &mut Run,
    older_than: Option<humantime::Duration>,
    room: &mut Room,
) -> Result<FreedPart, Error> {
    let word = &context.env.retention.builds_for;
    let older_than = either(older_than, word, "retention.builds_for")?.map_or(AGE, Into::into);
    let docker = Docker::connect()?;
    let objects = plan(&docker.usage()?.build_cache, older_than, Utc::now());
    let mut freed_bytes = 0;
    let mut part = objects::delete(run, "builds", objects, room, |_, id| {
        Ok(match docker.prune_build(id, older_than)? {
            Some(bytes) => {
                freed_bytes += bytes;
                End::Deleted
            }
            None => End::Needed("a build has used it, or needs it now".to_owned()),
        })
    })?;
    part.freed_bytes = (!run.output.plan).then_some(freed_bytes);
    Ok(part)
}

/// Decides about the records. A record comes after those that are built on it, else the one that
/// was used the longest ago comes first.
fn plan<'a>(
    records: &'a [CacheRecord],
    older_than: Duration,
    now: DateTime<Utc>,
) -> Vec<Object<String>> {
    let parents = |record: &'a CacheRecord| {
        let parents = record.parents.iter().map(String::as_str);
        (record.id.as_str(), parents)
    };
    let lineage = Lineage::new(records.iter().map(parents));
    let mut items: BTreeMap<&str, PruneObject> = records
        .iter()
        .map(|record| (record.id.as_str(), decide(record, older_than, now)))
        .collect();
    let stay = (items.iter()).filter(|(_, item)| item.action == PruneAction::Keep);
    let stay: Vec<(&str, &str)> = stay.map(|(id, _)| (*id, *id)).collect();
    lineage.keep(&mut items, stay);
    let above = lineage.above(items.keys().copied());
    let mut items: Vec<(&str, PruneObject)> = items.into_iter().collect();
    items.sort_by_key(|(id, item)| (above.get(id), item.since_at));
    let object = |(id, item): (&str, PruneObject)| Object {
        target: id.to_owned(),
        item,
    };
    items.into_iter().map(object).collect()
}

fn decide(record: &CacheRecord, older_than: Duration, now: DateTime<Utc>) -> PruneObject {
    let limit = humantime::format_duration(older_than);
    let used_at = record.last_used_at.unwrap_or(record.created_at);
    let mut item = objects::item("build", &record.id);
    item.since_at = Some(used_at);
    item.size_bytes = record.size_bytes;
    item.reasons.push(format!("not used for {limit}"));
    if record.in_use {
        block(&mut item, "in_use", "a build uses it");
    }
    if record.shared {
        block(&mut item, "shared", "an image holds its bytes too");
    }
    if INTERNAL.contains(&record.kind.as_str()) {
        block(&mut item, "internal", "it is the builder's own");
    }
    if now - used_at < TimeDelta::from_std(older_than).unwrap_or(TimeDelta::MAX) {
        keep(&mut item, "builds_for", format!("used within {limit}"));
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-23T02:00:00Z".parse().unwrap()
    }

    fn record(id: &str, days: i64) -> CacheRecord {
        CacheRecord {
            id: id.to_owned(),
            parents: Vec::new(),
            description: String::new(),
            kind: "regular".to_owned(),
            in_use: false,
            shared: false,
            size_bytes: 5,
            created_at: now() - TimeDelta::days(days),
            last_used_at: None,
        }
    }

    fn on(parent: &str, record: CacheRecord) -> CacheRecord {
        CacheRecord {
            parents: vec![parent.to_owned()],
            ..record
        }
    }

    fn going(records: Vec<CacheRecord>) -> Vec<String> {
        plan(&records, Duration::from_secs(7 * 24 * 3600), now())
            .into_iter()
            .filter(|it| it.item.action == PruneAction::Delete)
            .map(|it| it.target)
            .collect()
    }

    #[test]
    fn only_what_is_old_and_nobodys_goes() {
        let records = vec![
            record("young", 6),
            record("old", 8),
            CacheRecord {
                last_used_at: Some(now()),
                ..record("used", 9)
            },
            CacheRecord {
                in_use: true,
                ..record("in use", 9)
            },
            CacheRecord {
                shared: true,
                ..record("shared", 9)
            },
            CacheRecord {
                kind: "frontend".to_owned(),
                ..record("own", 9)
            },
        ];
        assert_eq!(going(records), ["old"]);
    }

    #[test]
    fn a_record_goes_after_those_built_on_it_and_stays_with_one_that_stays() {
        let records = vec![
            record("base", 30),
            on("base", record("step", 20)),
            on("step", record("top", 10)),
            record("other", 9),
        ];
        assert_eq!(going(records), ["top", "other", "step", "base"]);
        let records = vec![
            record("base", 30),
            on("base", record("step", 20)),
            on("step", record("young", 1)),
        ];
        assert_eq!(going(records), [""; 0]);
    }
}
