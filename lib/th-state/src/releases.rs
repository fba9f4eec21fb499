//! The releases of an environment, and what is remembered of each: th-swap writes them, and
//! th-prune keeps their images.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use th_record::kind::{ReleaseState, Slot};
use th_record::{Id, Image};

use crate::{Error, State};

const FILE: &str = "releases.json";

/// How many are remembered.
const LIMIT: usize = 100;

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its tag.
    pub tag: String,
    /// The slot it ran in.
    pub slot: Slot,
    /// What became of it.
    pub state: ReleaseState,
    /// When it got the traffic.
    pub deployed_at: DateTime<Utc>,
    /// The run that gave it the traffic.
    pub run: String,
    /// Its images, one for each service.
    pub images: Vec<Image>,
    /// Every migration head that the database was seen at while it had the traffic.
    pub heads: Vec<String>,
    /// The backup made right before it.
    pub pre_release_set: Option<Id>,
    /// Its services that must not run twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusive: Vec<String>,
}

impl Release {
    /// Tells whether `run` gave `tag` the traffic in `slot`. The runs of a chain share their id, so
    /// the id alone does not tell.
    pub fn is_of(&self, run: &str, tag: &str, slot: Slot) -> bool {
        (self.run.as_str(), self.tag.as_str(), self.slot) == (run, tag, slot)
    }
}

/// All of them, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Releases(Vec<Release>);

impl Releases {
    /// Returns what is remembered; nothing, before the first release.
    ///
    /// # Errors
    /// Those of [`State::read`].
    pub fn read(state: &State) -> Result<Self, Error> {
        Ok(state.read(FILE)?.unwrap_or_default())
    }

    /// Remembers it, durably.
    ///
    /// # Errors
    /// Those of [`State::write`].
    pub fn write(&self, state: &State) -> Result<(), Error> {
        state.write(FILE, self)
    }

    /// Returns them, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Release> {
        self.0.iter().rev()
    }

    /// Returns the one that has the traffic.
    pub fn live(&self) -> Option<&Release> {
        self.newest_first()
            .find(|release| release.state == ReleaseState::Live)
    }

    /// Returns the newest one with `tag`.
    pub fn with_tag(&self, tag: &str) -> Option<&Release> {
        self.newest_first().find(|release| release.tag == tag)
    }

    /// Returns the one to go back to: the newest that lived well and is not the present one.
    pub fn before(&self) -> Option<&Release> {
        let live = self.live().map(|live| live.tag.as_str());
        self.newest_first().find(|release| {
            release.state == ReleaseState::Retired && Some(release.tag.as_str()) != live
        })
    }

    /// Returns the last backup made while `release` had the traffic: right before the one that took
    /// it over. Whatever was begun meanwhile, and was taken back, ran in the other slot as well.
    pub fn set_after(&self, release: &Release) -> Option<&Id> {
        let at = self.0.iter().rposition(|other| other == release)?;
        self.0[at + 1..]
            .iter()
            .take_while(|next| next.slot != release.slot)
            .filter_map(|next| next.pre_release_set.as_ref())
            .last()
    }

    /// Notes that the live one was seen with the database at `head`. Returns whether that is new.
    pub fn see(&mut self, head: Option<&str>) -> bool {
        let live = self
            .0
            .iter_mut()
            .rev()
            .find(|release| release.state == ReleaseState::Live);
        match (live, head) {
            (Some(live), Some(head)) if !live.heads.iter().any(|seen| seen == head) => {
                live.heads.push(head.to_owned());
                true
            }
            _ => false,
        }
    }

    /// Notes that `release` has the traffic; what had it becomes `outcome`.
    pub fn add(&mut self, release: Release, outcome: ReleaseState) {
        for other in &mut self.0 {
            if other.state == ReleaseState::Live {
                other.state = outcome;
            }
        }
        self.0.push(release);
        let surplus = self.0.len().saturating_sub(LIMIT);
        self.0.drain(..surplus);
    }

    /// Notes that the release of `tag` in `slot` by `run` does not have the traffic, and what had it
    /// before has it again. Returns whether anything was noted.
    pub fn withdraw(&mut self, run: &str, tag: &str, slot: Slot) -> bool {
        let found = self.0.iter().rposition(|release| {
            release.state == ReleaseState::Live && release.is_of(run, tag, slot)
        });
        let Some(found) = found else { return false };
        self.0[found].state = ReleaseState::Withdrawn;
        let slot = self.0[found].slot;
        let before = self.0[..found]
            .iter_mut()
            .rev()
            .find(|release| release.slot != slot);
        if let Some(before) = before {
            before.state = ReleaseState::Live;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(tag: &str, slot: Slot) -> Release {
        Release {
            tag: tag.to_owned(),
            slot,
            state: ReleaseState::Live,
            deployed_at: Utc::now(),
            run: format!("run of {tag}"),
            images: Vec::new(),
            heads: Vec::new(),
            pre_release_set: None,
            exclusive: Vec::new(),
        }
    }

    #[test]
    fn one_is_live_and_the_one_before_is_known() {
        let mut releases = Releases::default();
        assert_eq!((releases.live(), releases.before()), (None, None));
        releases.add(release("v1", Slot::Blue), ReleaseState::Retired);
        releases.add(release("v2", Slot::Green), ReleaseState::Retired);
        assert_eq!(releases.live().unwrap().tag, "v2");
        assert_eq!(releases.before().unwrap().tag, "v1");
        assert!(releases.see(Some("0007")) && !releases.see(Some("0007")) && !releases.see(None));
        assert_eq!(releases.with_tag("v2").unwrap().heads, ["0007"]);
    }

    #[test]
    fn a_withdrawn_release_is_not_gone_back_to() {
        let mut releases = Releases::default();
        for (tag, slot) in [("v1", Slot::Blue), ("v2", Slot::Green), ("v3", Slot::Blue)] {
            releases.add(release(tag, slot), ReleaseState::Retired);
        }
        // The chain's run had released v2 before, and what it began since never had the traffic.
        assert!(!releases.withdraw("run of v3", "v2", Slot::Green));
        assert!(!releases.withdraw("run of v3", "v3", Slot::Green));
        assert!(releases.withdraw("run of v3", "v3", Slot::Blue));
        assert!(!releases.withdraw("run of v3", "v3", Slot::Blue));
        assert_eq!(releases.live().unwrap().tag, "v2");
        assert_eq!(releases.before().unwrap().tag, "v1");
        // A rollback that boots is a release of its own, and withdraws what it takes the place of.
        releases.add(release("v1", Slot::Blue), ReleaseState::Withdrawn);
        assert_eq!(releases.live().unwrap().tag, "v1");
        assert_eq!(releases.before(), None);
    }

    #[test]
    fn the_way_back_to_a_release_is_the_set_made_as_it_lost_the_traffic() {
        let mut releases = Releases::default();
        let set =
            |minute: u32| -> Option<Id> { format!("20261123T02{minute:02}00Z-0001").parse().ok() };
        let mut add = |tag: &str, slot, minute| {
            let pre_release_set = set(minute);
            let release = Release {
                pre_release_set,
                ..release(tag, slot)
            };
            releases.add(release, ReleaseState::Retired);
            releases.clone()
        };
        add("v1", Slot::Blue, 1);
        let releases = add("v2", Slot::Green, 2);
        let after = |releases: &Releases, tag| {
            let release = releases.with_tag(tag).unwrap();
            releases.set_after(release).cloned()
        };
        assert_eq!(after(&releases, "v1"), set(2));
        assert_eq!(after(&releases, "v2"), None);
        // v2 was taken back, and v1 lived on until v3; then came a rollback, of which there is no set.
        add("v3", Slot::Green, 3);
        let releases = add("v0", Slot::Blue, 4);
        assert_eq!(after(&releases, "v1"), set(3));
        assert_eq!(after(&releases, "v3"), set(4));
    }

    #[test]
    fn the_file_is_what_it_always_was() {
        let text = concat!(
            r#"[{"tag":"v1","slot":"blue","state":"live","deployed_at":"2026-11-23T02:00:00.123456789Z","#,
            r#""run":"20261123T020000Z-7f3a","images":[{"name":"app-api:v1","id":"sha256:1","#,
            r#""digest":null}],"heads":["0007"],"pre_release_set":"20261123T015900Z-0001"}]"#,
        );
        let releases: Releases = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&releases).unwrap(), text);
        let text = text.replace("0001\"}]", r#"0001","exclusive":["worker"]}]"#);
        let releases: Releases = serde_json::from_str(&text).unwrap();
        assert_eq!(releases.live().unwrap().exclusive, ["worker"]);
        assert_eq!(serde_json::to_string(&releases).unwrap(), text);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::at(dir.path());
        assert_eq!(Releases::read(&state).unwrap(), Releases::default());
        for bad in ["", "{}", "[7]", r#"{"releases":[]}"#, r#"[{"tag":"v1"}]"#] {
            std::fs::write(state.path(FILE), bad).unwrap();
            let read = Releases::read(&state);
            assert!(matches!(read, Err(Error::Format { .. })), "{bad}");
        }
    }
}
