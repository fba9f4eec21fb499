//! Where disk, containers and web server do not agree. Pure.

use std::path::Path;

use th_record::kind::{PendingSwap, Slot, SlotStatus};

use crate::pending::Phase;
use crate::plan::FrontSeen;
use crate::releases::Release;

/// Who has the traffic, and what becomes of it.
pub(super) struct Traffic<'a> {
    /// The include file that gives the traffic to a slot; `None` when lanes do.
    pub(super) include: Option<&'a Path>,
    pub(super) live: Option<Slot>,
    pub(super) remembered: Option<&'a Release>,
    pub(super) pending: Option<&'a PendingSwap>,
    pub(super) slots: &'a [SlotSeen],
    pub(super) front: Option<&'a FrontSeen>,
}

/// A slot, and what its status does not tell.
pub(super) struct SlotSeen {
    pub(super) status: SlotStatus,
    /// Why it is not healthy.
    pub(super) health: Result<(), String>,
    /// The images of its services: their names and ids.
    pub(super) images: Vec<(String, String)>,
}

impl Traffic<'_> {
    /// Returns where they do not agree.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(PendingSwap {
            run, phase, tag, ..
        }) = self.died()
        {
            problems.push(format!("run {run} died while it was {phase} with '{tag}'"));
        }
        problems.extend(self.split());
        let with_traffic: Vec<&SlotSeen> = self
            .slots
            .iter()
            .filter(|it| self.has_traffic(it))
            .collect();
        problems.extend(with_traffic.iter().filter_map(|slot| self.of(slot)));
        let front = self.front.filter(|_| !with_traffic.is_empty());
        problems.extend(front.and_then(|front| self.of_front(front)));
        problems
    }

    /// Returns what to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match (self.pending, self.live, self.include) {
            _ if self.died().is_some() => "th-swap resume finishes it or takes it back",
            (None, None, None) => "th-swap resume leads them to the slot of the last release",
            (None, None, Some(_)) => {
                "th-swap init writes it if it is missing, and then nginx is to be reloaded; \
                 th-swap to writes it anew for the other slot"
            }
            _ => "th-swap doctor looks for the cause",
        }
    }

    /// Returns the swap that died, and waits for nobody.
    fn died(&self) -> Option<&PendingSwap> {
        let is_dead = |it: &&PendingSwap| !it.alive && it.phase != Phase::Paused.name();
        self.pending.filter(is_dead)
    }

    fn has_lanes(&self) -> bool {
        self.slots.iter().any(|slot| slot.status.lanes > 0)
    }

    /// Where nothing on disk says who has the traffic, it is who had it last.
    fn has_traffic(&self, slot: &SlotSeen) -> bool {
        let remembered = self.remembered.map(|release| release.slot);
        slot.status.lanes > 0 || !self.has_lanes() && remembered == Some(slot.status.name)
    }

    /// Compares what is on disk with what was released.
    fn split(&self) -> Option<String> {
        if self.pending.is_some() {
            return None;
        }
        match (self.live, self.include, self.remembered) {
            (None, Some(include), Some(Release { tag, slot, .. })) => Some(format!(
                "'{}' names the ports of no slot, but '{tag}' was released in {slot}",
                include.display()
            )),
            (None, None, remembered) if self.has_lanes() || remembered.is_some() => {
                Some("the lanes do not all lead to one slot".to_owned())
            }
            (Some(live), _, Some(Release { tag, slot, .. })) if live != *slot => Some(format!(
                "{live} has the traffic, but '{tag}' was released in {slot}"
            )),
            _ => None,
        }
    }

    /// Looks at a slot that has traffic.
    fn of(&self, slot: &SlotSeen) -> Option<String> {
        let name = slot.status.name;
        if slot.status.running == Some(false) {
            return Some(format!("{name} has the traffic, and does not run"));
        }
        if let Err(why) = &slot.health {
            return Some(format!("{name} has the traffic, and is not healthy: {why}"));
        }
        let settled = self.pending.is_none() && self.live == Some(name);
        // Of one that was found there, nothing is remembered.
        let remembered = self
            .remembered
            .filter(|it| settled && !it.images.is_empty())?;
        let is_known = |id: &String| remembered.images.iter().any(|image| image.id == *id);
        let mut foreign = slot.images.iter().filter(|(_, id)| !is_known(id));
        let (image, _) = foreign.next()?;
        Some(format!(
            "{name} runs '{image}', which is none of the images that were released as '{}'",
            remembered.tag
        ))
    }

    /// Looks at what users meet.
    fn of_front(&self, front: &FrontSeen) -> Option<String> {
        let answers = match front {
            FrontSeen::Down(why) => return Some(why.clone()),
            FrontSeen::Answers(answers) => answers,
        };
        match self.live {
            Some(live) if answers.slots.contains(&live.other()) => Some(format!(
                "{live} has the traffic, but nginx serves {}",
                live.other()
            )),
            _ if answers.failed() > 0 => Some(answers.complaint()),
            _ if answers.slots.is_empty() => Some(
                "no answer through nginx names its slot in X-Th-Slot: it is not known what it serves"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
