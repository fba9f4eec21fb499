//! Things that are built on one another: what must stay for another, and what can go first.

use std::collections::{BTreeMap, BTreeSet};

use th_record::kind::{PruneAction, PruneObject};

use super::block;

/// What each thing is built on, by their ids.
pub(crate) struct Lineage<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Lineage<'a> {
    /// Takes each thing with what it is directly built on.
    pub(crate) fn new<P>(things: impl IntoIterator<Item = (&'a str, P)>) -> Self
    where
        P: IntoIterator<Item = &'a str>,
    {
        let things = things.into_iter();
        Self(
            things
                .map(|(id, parents)| (id, parents.into_iter().collect()))
                .collect(),
        )
    }

    /// Returns everything that another is directly built on.
    pub(crate) fn bases(&self) -> BTreeSet<&'a str> {
        self.0.values().flatten().copied().collect()
    }

    /// Returns everything that one is built on, however far.
    fn below(&self, id: &str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut next = vec![id];
        while let Some(id) = next.pop() {
            for parent in self.0.get(id).into_iter().flatten() {
                if found.insert(*parent) {
                    next.push(parent);
                }
            }
        }
        found
    }

    /// Keeps what would go, though one that stays is built on it: ids, and what people call them.
    pub(crate) fn keep<'b>(
        &self,
        items: &mut BTreeMap<&'a str, PruneObject>,
        stay: impl IntoIterator<Item = (&'b str, &'b str)>,
    ) {
        for (id, name) in stay {
            for below in self.below(id) {
                if let Some(item) = items.get_mut(below)
                    && item.action == PruneAction::Delete
                {
                    let reason = format!("{} '{name}' is built on it", item.what);
                    block(item, "child", reason);
                }
            }
        }
    }

    /// Counts how many of `ids` are built on each thing. In this order each can go: what is built on
    /// another goes before it.
    pub(crate) fn above<'b>(
        &self,
        ids: impl IntoIterator<Item = &'b str>,
    ) -> BTreeMap<&'a str, usize> {
        let mut above = BTreeMap::new();
        for below in ids.into_iter().flat_map(|id| self.below(id)) {
            *above.entry(below).or_default() += 1;
        }
        above
    }
}
