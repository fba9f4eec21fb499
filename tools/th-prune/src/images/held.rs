//! Releases that an environment may have to run again: what th-swap remembers of them.

use std::collections::BTreeSet;

use th_config::Environment;
use th_docker::Image;
use th_record::kind::ReleaseState;
use th_state::State;
use th_state::releases::{Release, Releases};

use crate::Error;

use super::plan;

/// The live release, and the one to go back to.
const LEAST: usize = 2;

/// The releases that are held, each with its environment.
#[derive(Debug, Default)]
pub(crate) struct Held(Vec<(String, Release)>);

impl Held {
    /// Reads what every environment of the app holds: its last `releases`, and never fewer than
    /// two. An environment that never was released to holds nothing.
    ///
    /// # Errors
    /// That a state file cannot be read: then nobody knows what is needed.
    pub(crate) fn read(env: &Environment, releases: usize) -> Result<Self, Error> {
        let own = (env.name.clone().unwrap_or_default(), env.state.clone());
        let mut held = Vec::new();
        for (name, state) in env.neighbours.iter().chain([&own]) {
            let last = last(&Releases::read(&State::at(state))?, releases.max(LEAST));
            held.extend(last.into_iter().map(|release| (name.clone(), release)));
        }
        Ok(Self(held))
    }

    /// Returns the environment that may have to run `image`.
    pub(crate) fn by(&self, image: &Image) -> Option<&str> {
        let is_of = |release: &Release| {
            let mut images = release.images.iter();
            images.any(|its| its.id == image.id || image.names.contains(&its.name))
                || plan::releases(image).contains(&&*release.tag)
                || plan::labelled(image) == Some(&release.tag)
        };
        let found = self.0.iter().find(|(_, release)| is_of(release));
        found.map(|(env, _)| env.as_str())
    }
}

/// Returns the last `count` releases, newest first. One that was rolled back is none of them, since
/// nobody goes back to it.
fn last(releases: &Releases, count: usize) -> Vec<Release> {
    let lived = || {
        let all = releases.newest_first();
        all.filter(|release| release.state != ReleaseState::Withdrawn)
    };
    let mut tags = BTreeSet::new();
    for release in lived() {
        if tags.len() < count {
            tags.insert(&release.tag);
        }
    }
    // Of one that was deployed twice, both builds: its images may be others by now.
    lived()
        .filter(|release| tags.contains(&release.tag))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tags(releases: &[(&str, &str)], count: usize) -> Vec<String> {
        let release = |(tag, state): &(&str, &str)| {
            json!({
                "tag": tag, "slot": "blue", "state": state, "run": "x", "heads": [], "images": [],
                "deployed_at": "2026-11-01T00:00:00Z", "pre_release_set": null,
            })
        };
        let text: Value = releases.iter().map(release).collect();
        let last = last(&serde_json::from_value(text).unwrap(), count);
        last.into_iter().map(|release| release.tag).collect()
    }

    #[test]
    fn the_last_are_held() {
        let releases = [("v1", "retired"), ("v2", "retired"), ("v3", "live")];
        assert_eq!(tags(&releases, 2), ["v3", "v2"]);
        assert_eq!(tags(&releases, 9), ["v3", "v2", "v1"]);
        assert_eq!(tags(&[], 2), [""; 0]);
    }

    #[test]
    fn what_was_rolled_back_or_deployed_twice_does_not_push_out_what_to_go_back_to() {
        let releases = [
            ("v0", "retired"),
            ("v1", "retired"),
            ("v2", "retired"),
            ("v3", "withdrawn"),
            ("v2", "live"),
            ("v4", "withdrawn"),
        ];
        assert_eq!(tags(&releases, 2), ["v2", "v2", "v1"]);
    }
}
