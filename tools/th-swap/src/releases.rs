//! The releases of an environment, and what is remembered of each.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use th_record::kind::{ReleaseItem, ReleaseState, Slot};
use th_record::{Id, Image, VERSION};
use th_state::State;

use crate::Error;

const FILE: &str = "releases.json";

/// How many are remembered.
const LIMIT: usize = 100;

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) tag: String,
    pub(crate) slot: Slot,
    pub(crate) state: ReleaseState,
    pub(crate) deployed_at: DateTime<Utc>,
    /// The run that gave it the traffic.
    pub(crate) run: String,
    pub(crate) images: Vec<Image>,
    /// Every migration head that the database was seen at while it had the traffic.
    pub(crate) heads: Vec<String>,
    pub(crate) pre_release_set: Option<Id>,
}

/// All of them, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Releases(Vec<Release>);

impl Releases {
    /// Reads what is remembered.
    pub(crate) fn read(state: &State) -> Result<Self, Error> {
        Ok(state.read(FILE)?.unwrap_or_default())
    }

    /// Remembers it, durably.
    pub(crate) fn write(&self, state: &State) -> Result<(), Error> {
        Ok(state.write(FILE, self)?)
    }

    /// Returns them, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Release> {
        self.0.iter().rev()
    }

    /// Returns the one that has the traffic.
    pub(crate) fn live(&self) -> Option<&Release> {
        self.newest_first()
            .find(|release| release.state == ReleaseState::Live)
    }

    /// Returns the newest one with `tag`.
    pub(crate) fn with_tag(&self, tag: &str) -> Option<&Release> {
        self.newest_first().find(|release| release.tag == tag)
    }

    /// Returns the one to go back to: the newest that lived well and is not the present one.
    pub(crate) fn before(&self) -> Option<&Release> {
        let live = self.live().map(|live| live.tag.as_str());
        self.newest_first().find(|release| {
            release.state == ReleaseState::Retired && Some(release.tag.as_str()) != live
        })
    }

    /// Notes that the live one was seen with the database at `head`.
    pub(crate) fn see(&mut self, head: Option<&str>) -> bool {
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
    pub(crate) fn add(&mut self, release: Release, outcome: ReleaseState) {
        for other in &mut self.0 {
            if other.state == ReleaseState::Live {
                other.state = outcome;
            }
        }
        self.0.push(release);
        let surplus = self.0.len().saturating_sub(LIMIT);
        self.0.drain(..surplus);
    }

    /// Notes that the release of `run` does not have the traffic, and what had it before has it
    /// again. Tells whether anything was noted.
    pub(crate) fn withdraw(&mut self, run: &str) -> bool {
        let found = self
            .0
            .iter()
            .rposition(|release| release.run == run && release.state == ReleaseState::Live);
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

impl Release {
    /// Describes it for a list.
    pub(crate) fn item(&self) -> ReleaseItem {
        ReleaseItem {
            v: VERSION,
            kind: "release".to_owned(),
            tag: self.tag.clone(),
            slot: self.slot,
            state: self.state,
            deployed_at: self.deployed_at,
            run: self.run.clone(),
            images: self.images.clone(),
            heads: self.heads.clone(),
            pre_release_set: self.pre_release_set.clone(),
        }
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
        assert!(releases.withdraw("run of v3") && !releases.withdraw("run of v3"));
        assert_eq!(releases.live().unwrap().tag, "v2");
        assert_eq!(releases.before().unwrap().tag, "v1");
        // A rollback that boots is a release of its own, and withdraws what it takes the place of.
        releases.add(release("v1", Slot::Blue), ReleaseState::Withdrawn);
        assert_eq!(releases.live().unwrap().tag, "v1");
        assert_eq!(releases.before(), None);
    }
}
