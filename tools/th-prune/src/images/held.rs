//! Releases that an environment may have to run again: what th-swap remembers of them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use th_config::Environment;
use th_docker::Image;
use th_state::State;

use crate::Error;

use super::plan;

/// The state file of th-swap.
const FILE: &str = "releases.json";

/// The live release, and the one to go back to.
const LEAST: usize = 2;

/// The state of a release that was rolled back: nobody goes back to it.
const WITHDRAWN: &str = "withdrawn";

/// What is read of the state file. What else is in it is th-swap's own.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Releases {
    List(Vec<Release>),
    Named { releases: Vec<Release> },
}

#[derive(Debug, Clone, Deserialize)]
struct Release {
    tag: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    images: Vec<Named>,
    #[serde(default)]
    deployed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    id: Option<String>,
}

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
            let read = State::at(state).read::<Releases>(FILE)?;
            let last = read.map_or(Vec::new(), |it| last(it, releases.max(LEAST)));
            held.extend(last.into_iter().map(|release| (name.clone(), release)));
        }
        Ok(Self(held))
    }

    /// Returns the environment that may have to run `image`.
    pub(crate) fn by(&self, image: &Image) -> Option<&str> {
        let is_of = |release: &Release| {
            let is_it = |named: &Named| {
                named.id.as_ref() == Some(&image.id) || image.names.contains(&named.name)
            };
            release.images.iter().any(is_it) || plan::releases(image).contains(&&*release.tag)
        };
        let found = self.0.iter().find(|(_, release)| is_of(release));
        found.map(|(env, _)| env.as_str())
    }
}

/// Returns the last `count` releases, each once. One that has no time counts as the newest.
fn last(read: Releases, count: usize) -> Vec<Release> {
    let (Releases::List(mut releases) | Releases::Named { mut releases }) = read;
    releases.retain(|release| release.state.as_deref() != Some(WITHDRAWN));
    releases
        .sort_by_key(|release| Reverse(release.deployed_at.unwrap_or(DateTime::<Utc>::MAX_UTC)));
    let mut tags = BTreeSet::new();
    for release in &releases {
        if tags.len() < count {
            tags.insert(release.tag.clone());
        }
    }
    // Of one that was deployed twice, both builds: its images may be others by now.
    releases.retain(|release| tags.contains(&release.tag));
    releases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str, count: usize) -> Vec<String> {
        let last = last(serde_json::from_str(text).unwrap(), count);
        last.into_iter().map(|release| release.tag).collect()
    }

    #[test]
    fn the_last_are_held_by_time_and_what_is_unknown_is_no_obstacle() {
        let text = r#"{"v":1,"live":"v3","releases":[
            {"tag":"v1","deployed_at":"2026-11-01T00:00:00Z","images":[]},
            {"tag":"v3","deployed_at":"2026-11-03T00:00:00Z","head":"ab12",
             "images":[{"name":"app-api:v3","id":"sha256:3","digest":null}]},
            {"tag":"v2","deployed_at":"2026-11-02T00:00:00Z"}]}"#;
        assert_eq!(tags(text, 2), ["v3", "v2"]);
        assert_eq!(tags(text, 9), ["v3", "v2", "v1"]);
        for bad in ["{}", "7", "[7]", r#"{"releases":7}"#] {
            assert!(serde_json::from_str::<Releases>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_rolled_back_or_deployed_twice_does_not_push_out_what_to_go_back_to() {
        let text = r#"[
            {"tag":"v0","state":"retired","deployed_at":"2026-11-01T00:00:00Z"},
            {"tag":"v1","state":"retired","deployed_at":"2026-11-02T00:00:00Z"},
            {"tag":"v2","state":"retired","deployed_at":"2026-11-03T00:00:00Z"},
            {"tag":"v3","state":"withdrawn","deployed_at":"2026-11-04T00:00:00Z"},
            {"tag":"v2","state":"live","deployed_at":"2026-11-05T00:00:00Z"},
            {"tag":"v4","state":"withdrawn","deployed_at":"2026-11-06T00:00:00Z"}]"#;
        assert_eq!(tags(text, 2), ["v2", "v2", "v1"]);
    }
}
