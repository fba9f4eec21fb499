//! Which images go, from what was observed. Nothing here touches anything.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use th_docker::{Image, split_name};
use th_record::kind::{PruneAction, PruneObject};

use super::held::Held;
use crate::objects::lineage::Lineage;
use crate::objects::{self, Object, block, keep};

/// The label that says whose an image is.
const APP: &str = "th.app";
/// The label that says of which release.
const VERSION: &str = "org.opencontainers.image.version";

/// What there is.
pub(crate) struct Observed<'a> {
    pub(crate) app: &'a str,
    /// All images of the host, steps on the way to others too.
    pub(crate) images: &'a [Image],
    /// The containers of each image.
    pub(crate) used: &'a BTreeMap<String, Vec<String>>,
    pub(crate) held: &'a Held,
    pub(crate) now: DateTime<Utc>,
}

/// What stays.
pub(crate) struct Rules {
    pub(crate) releases: usize,
    pub(crate) min_age: Duration,
}

/// An image as it is removed.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) names: Vec<String>,
}

/// Decides about the app's images. What goes is in an order in which each can go: an image after
/// those that are built on it, else the oldest first.
pub(crate) fn plan<'a>(observed: &Observed<'a>, rules: &Rules) -> Vec<Object<Target>> {
    let parents = |image: &'a Image| (image.id.as_str(), image.parent.as_deref());
    let lineage = Lineage::new(observed.images.iter().map(parents));
    let bases = lineage.bases();
    let is_step = |image: &Image| image.names.is_empty() && bases.contains(image.id.as_str());
    let is_ours = |image: &Image| image.labels.get(APP).is_some_and(|app| app == observed.app);
    let whole: Vec<&Image> = observed.images.iter().filter(|it| !is_step(it)).collect();
    let mut ours: Vec<&Image> = whole.iter().copied().filter(|it| is_ours(it)).collect();
    let last = last(observed.app, &ours, rules.releases);

    let mut items: BTreeMap<&str, PruneObject> = ours
        .iter()
        .map(|image| (image.id.as_str(), decide(observed, rules, &last, image)))
        .collect();
    let goes = |id: &str| matches!(items.get(id), Some(item) if item.action == PruneAction::Delete);
    let stay = whole.into_iter().filter(|image| !goes(&image.id));
    let stay: Vec<(&str, &str)> = stay.map(|image| (image.id.as_str(), name(image))).collect();
    lineage.keep(&mut items, stay);
    let above = lineage.above(items.keys().copied());
    ours.sort_by_key(|image| (above.get(image.id.as_str()), image.created_at, name(image)));
    let object = |image: &Image| {
        Some(Object {
            item: items.remove(image.id.as_str())?,
            target: Target {
                id: image.id.clone(),
                names: image.names.clone(),
            },
        })
    };
    ours.into_iter().filter_map(object).collect()
}

/// Tells whether the plan deletes nothing.
pub(crate) fn deletes_none(objects: &[Object<Target>]) -> bool {
    objects.iter().all(|it| it.item.action == PruneAction::Keep)
}

/// Says that containers use an image.
pub(crate) fn used_by(containers: &[String]) -> String {
    format!("in use by container {}", containers.join(", "))
}

/// Returns the release that an image is labelled with.
pub(crate) fn labelled(image: &Image) -> Option<&str> {
    let version = image.labels.get(VERSION).map(String::as_str);
    version.filter(|version| !version.is_empty())
}

/// Returns the releases that an image belongs to: the one it is labelled with, else its tags. A label
/// that none of its tags bears out is that of the image it is built on.
pub(crate) fn releases(image: &Image) -> Vec<&str> {
    let tags = image.names.iter().map(|name| split_name(name).1);
    let tags: Vec<&str> = tags.map(Option::unwrap_or_default).collect();
    match labelled(image) {
        Some(version) if tags.is_empty() || tags.contains(&version) => vec![version],
        _ => tags,
    }
}

fn decide(observed: &Observed<'_>, rules: &Rules, last: &[&str], image: &Image) -> PruneObject {
    let mut item = objects::item("image", name(image));
    item.since_at = Some(image.created_at);
    item.size_bytes = image.size_bytes;
    if let Some(name) = foreign(observed.app, image) {
        block(
            &mut item,
            "foreign_name",
            format!("the name '{name}' is not of this app"),
        );
    }
    if let Some(containers) = observed.used.get(&image.id) {
        block(&mut item, "container", used_by(containers));
    }
    if let Some(env) = observed.held.by(image) {
        block(
            &mut item,
            "held",
            format!("environment '{env}' may go back to it"),
        );
    }
    let age = observed.now.signed_duration_since(image.created_at);
    if age.to_std().is_ok_and(|age| age < rules.min_age) || age < chrono::TimeDelta::zero() {
        let limit = humantime::format_duration(rules.min_age);
        keep(&mut item, "min_age", format!("younger than {limit}"));
    }
    let releases = releases(image);
    let newest = releases.iter().find(|release| last.contains(release));
    match newest {
        Some(release) if !image.names.is_empty() => {
            let reason = format!("release '{release}' is one of the last {}", rules.releases);
            keep(&mut item, "keep_releases", reason);
        }
        _ if item.action == PruneAction::Keep => {}
        _ if image.names.is_empty() => item.reasons.push("another image took its name".to_owned()),
        _ => item.reasons.push(format!(
            "release '{}' is not one of the last {}",
            releases.join(", "),
            rules.releases
        )),
    }
    item
}

/// Returns the newest releases. A release is as old as its newest image.
fn last<'a>(app: &str, ours: &[&'a Image], count: usize) -> Vec<&'a str> {
    let mut newest: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
    for image in ours {
        // One without a name was replaced; one with another's name is no release of ours.
        if image.names.is_empty() || foreign(app, image).is_some() {
            continue;
        }
        for release in releases(image) {
            let at = newest.entry(release).or_insert(image.created_at);
            *at = image.created_at.max(*at);
        }
    }
    let mut releases: Vec<(&str, DateTime<Utc>)> = newest.into_iter().collect();
    releases.sort_by_key(|(name, at)| Reverse((*at, *name)));
    releases.truncate(count);
    releases.into_iter().map(|(name, _)| name).collect()
}

/// Returns a name that is not of the app. An image that is built on the app's has its labels too.
fn foreign<'a>(app: &str, image: &'a Image) -> Option<&'a str> {
    let is_own = |part: &str| {
        let rest = part.strip_prefix(app);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
    };
    image
        .names
        .iter()
        .map(String::as_str)
        .find(|name| !path(name).split('/').any(is_own))
}

/// Returns the repository of an image's name without the registry's host.
fn path(name: &str) -> &str {
    let repository = split_name(name).0;
    match repository.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => repository,
    }
}

fn name(image: &Image) -> &str {
    image.names.first().unwrap_or(&image.id)
}

#[cfg(test)]
mod tests;
