//! What is to be released, and how patiently.

use std::time::Duration;

use th_record::Image;

use crate::Error;
use crate::args::ReleaseArgs;
use crate::context::Context;
use crate::releases::Release;

/// So many probes in a row must succeed, unless told otherwise.
const PROBES: u32 = 3;

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) tag: String,
    pub(crate) hold: Duration,
    pub(crate) drain: Duration,
    pub(crate) ready: Duration,
    pub(crate) probes: u32,
    /// Services that must not run twice; on the way back, also such as the compose file may not have.
    pub(crate) exclusive: Vec<String>,
    /// The steps of a canary before all of the traffic, in words.
    pub(crate) shares: Vec<String>,
    pub(crate) rollback: bool,
    /// The images that it must be, on the way back to a release.
    pub(crate) images: Vec<Image>,
}

impl Intent {
    /// Reads the flags; what they do not say is in the settings.
    pub(crate) fn of(context: &Context, args: &ReleaseArgs) -> Self {
        let slots = &context.slots;
        let or = |flag: Option<humantime::Duration>, setting| flag.map_or(setting, Into::into);
        Self {
            tag: args.tag.clone(),
            hold: or(args.hold, slots.hold),
            drain: or(args.drain, slots.drain),
            ready: or(args.ready, slots.ready),
            probes: args.probes.unwrap_or(PROBES),
            exclusive: union(&slots.exclusive, &args.exclusive),
            shares: Vec::new(),
            rollback: false,
            images: Vec::new(),
        }
    }

    /// Goes back to `target` from `live`. What only a flag made exclusive is so on the way back, too.
    pub(crate) fn back(
        context: &Context,
        target: &Release,
        live: Option<&Release>,
        hold: Duration,
    ) -> Self {
        let slots = &context.slots;
        let of_live = live.map_or(&[][..], |live| &live.exclusive);
        Self {
            tag: target.tag.clone(),
            hold,
            drain: slots.drain,
            ready: slots.ready,
            probes: PROBES,
            exclusive: union(&union(&slots.exclusive, &target.exclusive), of_live),
            shares: Vec::new(),
            rollback: true,
            images: target.images.clone(),
        }
    }

    /// Returns the services that must not run twice, of a compose file with `images`.
    ///
    /// # Errors
    /// [`Error::Setting`] when the file lacks a service of the settings or the flags, or one of them
    /// has traffic.
    pub(super) fn exclusive_in(
        &self,
        context: &Context,
        images: &[(String, String)],
    ) -> Result<Vec<String>, Error> {
        let slots = &context.slots;
        let is_there = |name: &String| images.iter().any(|(known, _)| known == name);
        let has_traffic = |name: &String| slots.services.iter().any(|it| it.name == *name);
        // What was exclusive once and is no service any more is no reason to stay.
        let is_meant =
            |name: &&String| !self.rollback || is_there(name) || slots.exclusive.contains(name);
        let exclusive: Vec<String> = self.exclusive.iter().filter(is_meant).cloned().collect();
        let services = slots.services.iter().map(|service| &service.name);
        if let Some(name) = services.chain(&exclusive).find(|name| !is_there(name)) {
            return Err(Error::Setting(format!(
                "'{}' has no service '{name}' with an image",
                slots.compose.display()
            )));
        }
        if let Some(name) = exclusive.iter().find(|name| has_traffic(name)) {
            return Err(Error::Setting(format!(
                "'{name}' has traffic, so it runs in both slots: it cannot be exclusive"
            )));
        }
        Ok(exclusive)
    }
}

/// Returns the names of both lists, each once.
fn union(one: &[String], other: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for name in one.iter().chain(other) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::union;

    #[test]
    fn names_are_said_once() {
        let names =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        assert_eq!(union(&names("a b"), &names("b c c")), names("a b c"));
        assert_eq!(union(&[], &[]), names(""));
    }
}
